package deliver

import (
	"context"
	"errors"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/store"
)

// step sends the next message to a webhook, and reports whether there may be another one.
func (d *Deliverer) step(ctx context.Context, w gistdeal.KeyedWebhook, last int64) (more bool, err error) {
	if w.Kind != gistdeal.WebhookSigned {
		return d.notify(ctx, w, last)
	}
	if d.now().Before(w.NextAt) {
		return false, nil
	}
	w.Cursor = max(w.Cursor, d.passed(w.ID))
	pending, err := d.db.Pending(ctx, w.ID)
	if err != nil {
		return false, err
	}
	due, waits := split(pending, d.now())
	// The receiver answers, so perhaps it refuses only the message that failed: try another.
	if due != nil && (w.Failures == 0 || due.Status == 0 || due.Test()) {
		return true, d.again(ctx, w, *due)
	}
	e, ok, err := d.next(ctx, &w, len(pending))
	switch {
	case err != nil:
		return false, err
	case ok && waits[gistdeal.DeliveryOrder(e)]:
		return true, d.record(ctx, w, delivery(e, d.now()))
	case ok:
		return true, d.attempt(ctx, w, delivery(e, d.now()), e)
	case due != nil:
		return true, d.again(ctx, w, *due)
	}
	return false, d.pass(ctx, w, last, pending)
}

// split returns the first message that is due, nil if there is none, and the orders of those
// that wait. A message is not due while an earlier one with the same order waits.
func split(pending []gistdeal.Delivery, now time.Time) (due *gistdeal.Delivery, waits map[string]bool) {
	waits = map[string]bool{}
	for i, p := range pending {
		test := p.Test()
		if due == nil && (test || !waits[p.Order]) && !now.Before(p.NextAt) {
			due = &pending[i]
		}
		if !test {
			waits[p.Order] = true
		}
	}
	return due, waits
}

// delivery returns the message about an event that is due now.
func delivery(e gistdeal.Event, now time.Time) gistdeal.Delivery {
	return gistdeal.Delivery{ID: e.ID, Type: e.Type, Order: gistdeal.DeliveryOrder(e), State: gistdeal.DeliveryPending, CreatedAt: now}
}

// next returns the next event for a webhook, and moves its cursor there; false if there is
// none, or if too many messages wait.
func (d *Deliverer) next(ctx context.Context, w *gistdeal.KeyedWebhook, pending int) (e gistdeal.Event, ok bool, err error) {
	if pending >= store.MaxPending {
		return e, false, nil
	}
	events, err := d.db.Events(ctx, gistdeal.EventQuery{After: w.Cursor, Types: w.Types, UserID: w.UserID, Limit: 1})
	if errors.Is(err, gistdeal.ErrEventsDeleted) {
		return d.skipDeleted(ctx, w)
	}
	if err != nil || len(events) == 0 {
		return e, false, err
	}
	w.Cursor = events[0].ID
	d.noteOldest(w.ID, events[0].At)
	return events[0], true, nil
}

// skipDeleted moves the cursor of a webhook behind the events that are not kept any more: it
// was disabled, or its receiver was away, for longer than that.
func (d *Deliverer) skipDeleted(ctx context.Context, w *gistdeal.KeyedWebhook) (e gistdeal.Event, ok bool, err error) {
	deleted, err := d.db.DeletedEvents(ctx)
	if err != nil {
		return e, false, err
	}
	d.log.Warn("events lost to a webhook", "webhook", w.Name, "after", w.Cursor, "up_to", deleted, "meaning", "they were deleted before the webhook could get them: GISTDEAL_EVENT_DAYS")
	w.Cursor = deleted
	if err := d.db.MoveCursor(ctx, w.Webhook); err != nil {
		return e, false, err
	}
	return d.next(ctx, w, 0)
}

// passed returns how far a webhook has come.
func (d *Deliverer) passed(id string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[id]
}

// noteOldest notes the time of the oldest message that a webhook has not got, zero for none.
func (d *Deliverer) noteOldest(id string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since[id] = at; at.IsZero() {
		delete(d.since, id)
	}
}

// pass notes that a webhook gets no event up to last.
func (d *Deliverer) pass(ctx context.Context, w gistdeal.KeyedWebhook, last int64, pending []gistdeal.Delivery) error {
	d.mu.Lock()
	delete(d.since, w.ID)
	for _, p := range pending {
		if at, ok := d.since[w.ID]; !ok || p.CreatedAt.Before(at) {
			d.since[w.ID] = p.CreatedAt
		}
	}
	stored := w.Cursor
	if len(pending) < store.MaxPending {
		d.seen[w.ID] = max(d.seen[w.ID], last)
		w.Cursor = d.seen[w.ID]
	}
	d.mu.Unlock()
	if w.Cursor-stored < saveEvery {
		return nil
	}
	return d.db.MoveCursor(ctx, w.Webhook)
}

// again sends a message again, or a test.
func (d *Deliverer) again(ctx context.Context, w gistdeal.KeyedWebhook, m gistdeal.Delivery) error {
	if m.Test() {
		return d.attempt(ctx, w, m, gistdeal.Event{At: m.CreatedAt, Type: gistdeal.EventWebhookTest, EventFacts: gistdeal.EventFacts{Reason: "a test from gistdeal"}})
	}
	events, err := d.db.Events(ctx, gistdeal.EventQuery{After: m.ID - 1, Limit: 1})
	if err != nil && !errors.Is(err, gistdeal.ErrEventsDeleted) {
		return err
	}
	if err != nil || len(events) == 0 || events[0].ID != m.ID {
		m.State, m.NextAt, m.Problem = gistdeal.DeliveryFailed, time.Time{}, "the event is not kept any more"
		return d.record(ctx, w, m)
	}
	return d.attempt(ctx, w, m, events[0])
}

// record stores the result of an attempt. It does not give up while the database is away:
// a message that was accepted must not be sent again.
func (d *Deliverer) record(ctx context.Context, w gistdeal.KeyedWebhook, m gistdeal.Delivery) error {
	loop.Record(ctx, ctx.Done(), d.log, func(ctx context.Context) error { return d.db.RecordDelivery(ctx, w.Webhook, m) })
	return ctx.Err()
}
