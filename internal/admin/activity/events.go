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
