package deliver

import (
	"context"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/mail"
	"gistdeal/internal/notice"
)

// maxDeferred is the most e-mails of a webhook that wait for some of their people.
const maxDeferred = 100

// mailID returns the id of an e-mail, the same in each attempt.
func mailID(w gistdeal.KeyedWebhook, m gistdeal.Delivery) string {
	return gistdeal.MessageID(m.ID) + "." + w.ID + "@gistdeal"
}

// deferred returns an e-mail that the server took for some people and deferred for others,
// who get it later. A person follows a test, which is not sent again.
func deferred(w gistdeal.Webhook, m gistdeal.Delivery, missed mail.Missed, n notice.Notice) gistdeal.Delivery {
	if m.Test() || w.Pending >= maxDeferred {
		m.Problem = joined(missed.Refused, missed.Reason)
		return m
	}
	return later(w.Timing, m, gistdeal.DeferredMail{To: missed.Deferred, Subject: n.Title, Text: n.Text(), Refused: missed.Refused}, missed.Reason)
}

// later returns a message with the e-mail that the rest of its people get later.
func later(t gistdeal.Timing, m gistdeal.Delivery, rest gistdeal.DeferredMail, reason string) gistdeal.Delivery {
	m.Deferred, m.Problem = &rest, joined(rest.Refused, reason)
	m.State, m.NextAt = gistdeal.DeliveryPending, t.AfterQuiet(m.TriedAt.Add(pause(m.Attempts)))
	return m
}

// sendDeferred sends an e-mail again, but only to the people for whom the server deferred it.
// It says nothing about the webhook, which works for others.
func (d *Deliverer) sendDeferred(ctx context.Context, w gistdeal.KeyedWebhook, m gistdeal.Delivery) error {
	to, err := gistdeal.Recipients(w.Keys.URL)
	if m.Deferred == nil || err != nil {
		m.State, m.NextAt, m.Problem = gistdeal.DeliveryFailed, time.Time{}, "its text is not kept any more"
		return d.record(ctx, w, m)
	}
	begin, now, rest := time.Now(), d.now(), *m.Deferred
	to = slices.DeleteFunc(to, func(address string) bool { return !slices.Contains(rest.To, address) })
	var missed mail.Missed
	if len(to) > 0 { // A person may have taken them out of the webhook.
		missed, err = d.mail.Send(ctx, mail.Message{To: to, ID: mailID(w, m), Subject: rest.Subject, Text: rest.Text})
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		missed.Deferred, missed.Reason = to, err.Error()
	}
	rest.To, rest.Refused = missed.Deferred, joined(rest.Refused, missed.Refused)
	m.Attempts, m.TriedAt, m.NextAt, m.Took = m.Attempts+1, now, time.Time{}, int(time.Since(begin).Milliseconds())
	m.Deferred, m.Problem = nil, joined(rest.Refused, missed.Reason)
	switch {
	case len(rest.To) == 0:
		m.State = gistdeal.DeliveryDelivered
	case gistdeal.KindOf(err) == gistdeal.Invalid || now.Sub(m.CreatedAt) >= gistdeal.WebhookGivesUp:
		m.State = gistdeal.DeliveryFailed
	default:
		m = later(w.Timing, m, rest, missed.Reason)
	}
	d.metrics.count(m)
	return d.record(ctx, w, m)
}

func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), "; ")
}
