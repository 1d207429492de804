package deliver

import (
	"context"
	"errors"
	"maps"
	"time"

	"gistdeal"
	"gistdeal/internal/mail"
	"gistdeal/internal/notice"
	"gistdeal/internal/webhook"
)

// eventPage is how many events of a notice are read at a time.
const eventPage = 500

// notify sends the next notice to a webhook for people once it is due. It tells of all events
// behind the cursor, which moves with the record of the answer: so a process that dies repeats
// at most one notice.
func (d *Deliverer) notify(ctx context.Context, w gistdeal.KeyedWebhook, last int64) (more bool, err error) {
	now := d.now()
	pending, err := d.db.Pending(ctx, w.ID)
	if err != nil {
		return false, err
	}
	if len(pending) > 0 && pending[0].Test() {
		test := notice.Notice{Title: "gistdeal: a test", Lines: []notice.Line{{Text: "This webhook works.", URL: d.publicURL}}, URL: d.publicURL}
		return true, d.tell(ctx, w, told{w.Cursor, w.Told}, pending[0], test)
	}
	if now.Before(w.NextAt) {
		return false, nil
	}
	for _, m := range pending {
		if !now.Before(m.NextAt) {
			return true, d.sendDeferred(ctx, w, m)
		}
	}
	if len(w.Types) == 0 {
		w.Types = gistdeal.NoticeTypes
	}
	from := w
	from.Cursor = max(w.Cursor, d.passed(w.ID))
	first, ok, err := d.next(ctx, &from, 0)
	if err != nil || !ok {
		return false, errors.Join(err, d.pass(ctx, w, last, nil))
	}
	d.noteOldest(w.ID, w.FailingSince) // A digest that is not due yet is not late.
	if due := w.Due(first.At); now.Before(due) {
		d.await(w.ID, due)
		return false, nil
	}
	summary, end, err := d.summarize(ctx, w, first)
	if err != nil {
		return false, err
	}
	n, ok := summary.Notice(d.publicURL)
	if !ok {
		w.Cursor = end
		return true, d.db.MoveCursor(ctx, w.Webhook)
	}
	m := gistdeal.Delivery{ID: end, Type: gistdeal.EventNotice, State: gistdeal.DeliveryPending, CreatedAt: first.At, Attempts: w.Failures}
	return true, d.tell(ctx, w, told{end, summary.Told()}, m, n)
}

// told is what a webhook for people was told of once a notice was accepted.
type told struct {
	cursor int64
	causes map[string]time.Time
}

// await notes that a webhook gets nothing before that time, or the next minute: a person may
// change its hours.
func (d *Deliverer) await(id string, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if soon := d.now().Add(time.Minute); soon.Before(due) {
		due = soon
	}
	d.until[id] = due
}

// summarize collects all events for a webhook from the first one on, and returns the id of
// the last one.
func (d *Deliverer) summarize(ctx context.Context, w gistdeal.KeyedWebhook, first gistdeal.Event) (s *notice.Summary, end int64, err error) {
	s = notice.New(w.Told, d.now())
	s.Add(first)
	for end = first.ID; ; {
		events, err := d.db.Events(ctx, gistdeal.EventQuery{After: end, Types: w.Types, UserID: w.UserID, Limit: eventPage})
		if err != nil {
			return nil, 0, err
		}
		for _, e := range events {
			s.Add(e)
			end = e.ID
		}
		if len(events) < eventPage {
			return s, end, nil
		}
	}
}

// tell sends a notice once, and records what became of it. After a failure the events stay
// behind the cursor, and the next attempt tells of newer ones too.
func (d *Deliverer) tell(ctx context.Context, w gistdeal.KeyedWebhook, after told, m gistdeal.Delivery, n notice.Notice) error {
	begin, now := time.Now(), d.now()
	status, missed, sent := d.sendNotice(ctx, w, m, n)
	if sent != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	m.Attempts, m.TriedAt, m.NextAt, m.Status, m.Took = m.Attempts+1, now, time.Time{}, status, int(time.Since(begin).Milliseconds())
	if sent == nil {
		w.Webhook, m = succeeded(w.Webhook, m)
		m.Problem = missed.Refused
		if len(missed.Deferred) > 0 {
			m = deferred(w.Webhook, m, missed, n)
		}
		w.Cursor, w.Told = after.cursor, after.causes
	} else {
		w.Webhook, m = failed(w.Webhook, m, sent)
		m.State, m.NextAt = gistdeal.DeliveryFailed, time.Time{}
	}
	d.metrics.count(m)
	if err := d.record(ctx, w, m); err != nil {
		return err
	}
	d.logDisabled(ctx, w.Webhook)
	return nil
}

// sendNotice sends a notice in the form of the webhook, and returns the status of the answer,
// and which people did not get an e-mail that others got.
func (d *Deliverer) sendNotice(ctx context.Context, w gistdeal.KeyedWebhook, m gistdeal.Delivery, n notice.Notice) (status int, missed mail.Missed, err error) {
	if w.Kind == gistdeal.WebhookEmail {
		to, err := gistdeal.Recipients(w.Keys.URL)
		if err != nil {
			return 0, missed, err
		}
		missed, err = d.mail.Send(ctx, mail.Message{To: to, ID: mailID(w, m), Subject: n.Title, Text: n.Text()})
		return 0, missed, err
	}
	form, err := n.Form(w.Kind)
	if err != nil {
		return 0, missed, err
	}
	headers := map[string]string{}
	maps.Copy(headers, form.Headers)
	maps.Copy(headers, w.Keys.Headers)
	status, err = d.sender.Send(ctx, webhook.Message{URL: w.Keys.URL, Headers: headers, Type: form.Type, Body: form.Body})
	return status, missed, err
}
