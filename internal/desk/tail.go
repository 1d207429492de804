package desk

import (
	"context"
	"time"

	"gistdeal"
)

// lateEnd is how long after its time an end may be written down: who writes it
// takes the time first, and then waits for its turn at the database.
const lateEnd = 5 * time.Second

// Tail tells the ends of attempts from a moment on, each once, also those that
// are written down after later ones. It is for one goroutine.
type Tail struct {
	desk *Desk
	last time.Time // the latest end that was told
	told map[ending]bool
}

// ending is what tells ends apart: an attempt that was taken for absent may end again.
type ending struct {
	gist string
	n    int
	at   time.Time
}

// Tail returns the tail of what happens from now on.
func (d *Desk) Tail(ctx context.Context) (*Tail, error) {
	last, err := d.db.LastEnded(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tail{desk: d, last: last, told: map[ending]bool{}}
	_, err = t.fresh(ctx)
	return t, err
}

// Next returns what has happened since it was last called.
func (t *Tail) Next(ctx context.Context) ([]Event, error) {
	// Asked for first: what is fresh is so only once.
	address, err := t.desk.db.Setting(ctx, gistdeal.SettingDealURL)
	if err != nil {
		return nil, err
	}
	happened, err := t.fresh(ctx)
	events := make([]Event, len(happened))
	for i, h := range happened {
		events[i] = Event{At: h.At, GistID: h.GistID, Login: h.Login, Outcome: h.Outcome, DealID: h.DealID, DealURL: dealURL(address, h.DealID), Reason: h.Reason}
	}
	return events, err
}

// fresh returns the ends that it has not returned before. It reads those again
// that are not old, since others may have come between them; and if that breaks
// off, it returns what it has.
func (t *Tail) fresh(ctx context.Context) (all []gistdeal.Happened, err error) {
	var since gistdeal.Happened
	if !t.last.IsZero() {
		since.At = t.last.Add(-lateEnd)
	}
	for e := range t.told {
		if e.at.Before(since.At) {
			delete(t.told, e)
		}
	}
	for more := true; more; {
		found, err := t.desk.db.Ended(ctx, since, page)
		if err != nil {
			return all, err
		}
		for _, h := range found {
			since = h
			e := ending{h.GistID, h.N, h.At}
			if t.told[e] {
				continue
			}
			t.told[e] = true
			all = append(all, h)
			if h.At.After(t.last) {
				t.last = h.At
			}
		}
		more = len(found) == page
	}
	return all, nil
}
