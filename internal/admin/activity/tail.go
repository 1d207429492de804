package activity

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
)

// page is how many rows are read at a time.
const page = 500

// lateEnd is how long after its time the end of an attempt may be recorded: the
// time is taken first, and then the write waits for its turn.
const lateEnd = 5 * time.Second

// Event is an event with the URL of its deal.
type Event struct {
	gistdeal.Outcome
	DealURL string `json:"deal_url,omitempty"`
}

// Tail returns events from a moment on, each once, also those that are recorded
// after later ones. It is for one goroutine.
type Tail struct {
	db   *store.Store
	last time.Time // of the latest event returned
	told map[ending]bool
}

// ending identifies an event: an attempt that was taken for absent may end again.
type ending struct {
	gist string
	n    int
	at   time.Time
}

// Tail returns the tail of the events from now on.
func (a *Activity) Tail(ctx context.Context) (*Tail, error) {
	last, err := a.db.LastEventAt(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tail{db: a.db, last: last, told: map[ending]bool{}}
	_, err = t.fresh(ctx)
	return t, err
}

// Next returns the events since the call before.
func (t *Tail) Next(ctx context.Context) ([]Event, error) {
	// The address comes first: fresh returns an event only once, and an error after it would lose it.
	address, err := t.db.Setting(ctx, gistdeal.KeyDealURL)
	if err != nil {
		return nil, err
	}
	fresh, err := t.fresh(ctx)
	events := make([]Event, len(fresh))
	for i, e := range fresh {
		events[i] = Event{e, gistdeal.DealURL(address, e.DealID)}
	}
	return events, err
}

// fresh returns the events that it has not returned before. It reads recent ones
// again, since others may have come between them. With an error it returns the
// events that it has read so far.
func (t *Tail) fresh(ctx context.Context) (all []gistdeal.Outcome, err error) {
	var since gistdeal.Outcome
	if !t.last.IsZero() {
		since.At = t.last.Add(-lateEnd)
	}
	for e := range t.told {
		if e.at.Before(since.At) {
			delete(t.told, e)
		}
	}
	for more := true; more; {
		events, err := t.db.Outcomes(ctx, since, page)
		if err != nil {
			return all, err
		}
		for _, e := range events {
			since = e
			key := ending{e.GistID, e.N, e.At}
			if t.told[key] {
				continue
			}
			t.told[key] = true
			all = append(all, e)
			if e.At.After(t.last) {
				t.last = e.At
			}
		}
		more = len(events) == page
	}
	return all, nil
}
