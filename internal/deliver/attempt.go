package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/webhook"
)

// pauses are the waits after failures in a row. The last one repeats.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}

const (
	// outage is the number of failures in a row after which a success means that the receiver
	// works again, as opposed to a message that alone was refused.
	outage = 3
	// soon is when the messages that failed are sent again after an outage.
	soon = time.Minute
)

// pause returns the wait after that many failures in a row: a little more, at random, so that
// the messages of several webhooks do not come together.
func pause(failures int) time.Duration {
	p := pauses[min(max(failures, 1), len(pauses))-1]
	return p + rand.N(p/10) //nolint:gosec // Nobody gains from guessing it.
}

// payload is the body of a message, in the form of the Standard Webhooks specification.
type payload struct {
	Type      gistdeal.EventType `json:"type"`
	Timestamp time.Time          `json:"timestamp"`
	Data      gistdeal.Event     `json:"data"`
}

// attempt sends the message m about an event once, and records what became of it.
func (d *Deliverer) attempt(ctx context.Context, w gistdeal.KeyedWebhook, m gistdeal.Delivery, e gistdeal.Event) error {
	body, err := json.Marshal(payload{e.Type, e.At, e})
	if err != nil {
		return err
	}
	begin, now := time.Now(), d.now()
	status, err := d.sender.Send(ctx, webhook.Message{
		URL: w.Keys.URL, Headers: w.Keys.Headers, Secrets: w.Secrets(now), ID: gistdeal.MessageID(m.ID), At: now, Body: body,
	})
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // The attempt says nothing about the receiver.
	}
	failpoint.Hit(failpoint.Delivered)
	m.Attempts, m.TriedAt, m.NextAt, m.Status, m.Took = m.Attempts+1, now, time.Time{}, status, int(time.Since(begin).Milliseconds())
	before := w.Webhook
	if err == nil {
		w.Webhook, m = succeeded(w.Webhook, m)
	} else {
		w.Webhook, m = failed(w.Webhook, m, err)
	}
	d.metrics.count(m)
	if err := d.record(ctx, w, m); err != nil {
		return err
	}
	d.logDisabled(ctx, w.Webhook)
	if err == nil && before.Failures >= outage {
		return d.db.ResendSoon(ctx, w.Webhook, now.Add(soon))
	}
	return nil
}

// logDisabled logs that an attempt disabled a webhook, unless a person changed it meanwhile.
func (d *Deliverer) logDisabled(ctx context.Context, w gistdeal.Webhook) {
	if w.State != gistdeal.WebhookFailed {
		return
	}
	if stored, err := d.db.Webhook(ctx, w.Name); err != nil || stored.State == gistdeal.WebhookFailed {
		d.log.Warn("webhook disabled", "webhook", w.Name, "reason", w.Reason)
	}
}

// succeeded returns a webhook and a message after the receiver accepted the message.
func succeeded(w gistdeal.Webhook, m gistdeal.Delivery) (gistdeal.Webhook, gistdeal.Delivery) {
	m.State, m.Problem = gistdeal.DeliveryDelivered, ""
	w.DeliveredAt, w.Failures, w.FailingSince, w.NextAt, w.Reason = m.TriedAt, 0, time.Time{}, time.Time{}, ""
	return w, m
}

// failed returns a webhook and a message after a failure. The message is tried again for
// three days. The webhook pauses, longer after each failure in a row, and is disabled after
// three days without a success, or at once if its receiver is gone.
func failed(w gistdeal.Webhook, m gistdeal.Delivery, err error) (gistdeal.Webhook, gistdeal.Delivery) {
	now := m.TriedAt
	m.Problem = err.Error()
	if m.Test() {
		m.State = gistdeal.DeliveryFailed // A person follows the test.
		return w, m
	}
	if w.FailingSince.IsZero() {
		w.FailingSince = now
	}
	w.Failures++
	brief := gistdeal.Brief(err) // Not only admins read it.
	w.Reason, w.NextAt = brief, now.Add(max(pause(w.Failures), gistdeal.RetryAfter(err)))
	m.State, m.NextAt = gistdeal.DeliveryPending, now.Add(max(pause(m.Attempts), gistdeal.RetryAfter(err)))
	if m.Status == 0 {
		m.NextAt = w.NextAt // The receiver is away, and will get this message first.
	}
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		w.State, m.NextAt = gistdeal.WebhookFailed, time.Time{}
	case now.Sub(w.FailingSince) >= gistdeal.WebhookGivesUp:
		w.State, m.NextAt = gistdeal.WebhookFailed, time.Time{}
		w.Reason = fmt.Sprintf("it failed for three days: %s", brief)
	case now.Sub(m.CreatedAt) >= gistdeal.WebhookGivesUp:
		m.State, m.NextAt = gistdeal.DeliveryFailed, time.Time{}
	}
	return w, m
}
