package activity

import (
	"context"

	"gistdeal"
)

// page is how many rows are read at a time.
const page = 500

// Events returns the events that q means; see store.Store.Events.
func (a *Activity) Events(ctx context.Context, q gistdeal.EventQuery) ([]gistdeal.Event, error) {
	return a.db.Events(ctx, q)
}

// LastEvent returns the id of the last event; 0 before the first one.
func (a *Activity) LastEvent(ctx context.Context) (int64, error) { return a.db.LastEvent(ctx) }

// EventPage is a page of events.
type EventPage struct {
	Events    []gistdeal.Event `json:"events"`
	After     int64            `json:"after" doc:"The value of after for the next page."`
	LastEvent int64            `json:"last_event" doc:"The id of the last event, whether this page has it or not."`
}

// EventPage returns the events that q means, with the place after them.
func (a *Activity) EventPage(ctx context.Context, q gistdeal.EventQuery) (p EventPage, err error) {
	// Read first: the query sees all events up to it.
	if p.LastEvent, err = a.LastEvent(ctx); err != nil {
		return p, err
	}
	if p.Events, err = a.Events(ctx, q); err != nil {
		return p, err
	}
	p.After = max(p.LastEvent, q.After)
	if n := len(p.Events); n > 0 && (n == q.Limit || p.Events[n-1].ID > p.After) {
		p.After = p.Events[n-1].ID
	}
	return p, nil
}
