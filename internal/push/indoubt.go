package push

import (
	"context"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/reconcile"
)

const (
	firstLookup = 2 * time.Second // after an attempt ended in doubt, at the most
	minLookups  = 3               // complete lookups without the deal before it is sent again
	freshLookup = 5 * time.Second // a claim follows the last lookup within this time
	idleLookup  = 24 * time.Hour  // between lookups of a deal that may be sent again but is not
	maxDelay    = 64              // times resendAfter: the longest wait for a gist that stays in doubt
)

// attempt is an attempt in doubt. Its times are on our monotonic clock: a
// restart begins the lookups again.
type attempt struct {
	claim    gistdeal.Claim
	lookups  int       // complete ones
	due      time.Time // of the next lookup
	first    time.Time // end of the first lookup
	lastFrom time.Time // begin of the last lookup
	last     time.Time // end of the last lookup
}

// inDoubt holds the attempts in doubt without a request under way.
type inDoubt struct {
	resendAfter time.Duration
	wake        loop.Signal

	mu      sync.Mutex
	rows    map[string]*attempt // by gist id
	unknown int                 // unknown outcomes in a row
}

func newInDoubt(resendAfter time.Duration) inDoubt {
	return inDoubt{resendAfter: resendAfter, rows: map[string]*attempt{}, wake: loop.NewSignal()}
}

// reset forgets all attempts: the database has the truth.
func (d *inDoubt) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows, d.unknown = map[string]*attempt{}, 0
}

// loadInDoubt takes up every attempt without an outcome in the database, of an
// earlier process or from a claim of ours that failed halfway. No request may be
// under way.
func (p *Pusher) loadInDoubt(ctx context.Context) error {
	claims, err := p.store.InDoubt(ctx)
	if err != nil {
		return err
	}
	for _, c := range claims {
		p.inDoubt.put(c)
	}
	return nil
}

// add takes up an attempt that has just ended with an unknown outcome.
func (d *inDoubt) add(c gistdeal.Claim) {
	d.mu.Lock()
	d.unknown++
	d.mu.Unlock()
	d.put(c)
}

// put takes up an attempt, unless it is there already.
func (d *inDoubt) put(c gistdeal.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.row(c) != nil {
		return
	}
	d.rows[c.Draft.GistID] = &attempt{claim: c, due: time.Now().Add(min(firstLookup, d.resendAfter/10))}
	d.wake.Set()
}

// known ends a series of unknown outcomes.
func (d *inDoubt) known() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unknown = 0
}

// inARow returns how many outcomes in a row were unknown.
func (d *inDoubt) inARow() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unknown
}

// all returns the attempts in doubt, and when the first lookup is due.
func (d *inDoubt) all() (attempts []reconcile.Attempt, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range d.rows {
		attempts = append(attempts, reconcile.Attempt{Claim: row.claim, Lookups: row.lookups})
		if due.IsZero() || row.due.Before(due) {
			due = row.due
		}
	}
	return attempts, due
}

// none reports whether no attempt is in doubt.
func (d *inDoubt) none() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.rows) == 0
}

// drop removes an attempt that is no longer in doubt.
func (d *inDoubt) drop(c gistdeal.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.row(c) != nil {
		delete(d.rows, c.Draft.GistID)
	}
}

// row returns the row of an attempt, nil if it has none or there is a newer
// attempt at the same gist; d.mu is held.
func (d *inDoubt) row(c gistdeal.Claim) *attempt {
	if row := d.rows[c.Draft.GistID]; row != nil && row.claim.Attempt == c.Attempt {
		return row
	}
	return nil
}

// missed records a complete lookup, from begin to end, that did not find the deal
// of an attempt.
func (d *inDoubt) missed(c gistdeal.Claim, begin, end time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	row := d.row(c)
	if row == nil {
		return
	}
	row.lookups++
	row.lastFrom, row.last = begin, end
	if row.lookups == 1 {
		row.first = end
	}
	switch span := d.span(c); {
	case d.absent(row):
		// The next one is due when the deal can be sent again: see refresh.
		row.due = end.Add(idleLookup)
	case row.lookups < minLookups-1:
		row.due = end.Add(span / minLookups)
	default:
		row.due = row.first.Add(span)
	}
}

// span returns how long the deal must be missing: twice as long after each time
// that it was sent again, in case every attempt at a gist ends in doubt.
func (d *inDoubt) span(c gistdeal.Claim) time.Duration {
	return d.resendAfter * time.Duration(min(1<<min(c.Resends, 10), maxDelay))
}

// absent reports whether enough lookups over enough time did not find the deal.
func (d *inDoubt) absent(row *attempt) bool {
	return row.lookups >= minLookups && row.lastFrom.Sub(row.first) >= d.span(row.claim)
}

// anyAbsent reports whether an attempt certainly created no deal as far as lookups say,
// and whether the last of them is recent enough for takeAbsent.
func (d *inDoubt) anyAbsent() (absent, fresh bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range d.rows {
		absent = absent || d.absent(row)
	}
	return absent, d.freshAbsent() != nil
}

// refresh makes a lookup due for an attempt whose deal can be sent again after it.
func (d *inDoubt) refresh() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, row := range d.rows {
		if d.absent(row) {
			row.due = time.Now()
		}
	}
	d.wake.Set()
}

// takeAbsent removes and returns an attempt that certainly created no deal,
// according to a lookup that has just ended.
func (d *inDoubt) takeAbsent() (c gistdeal.Claim, lookups int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	row := d.freshAbsent()
	if row == nil {
		return c, 0, false
	}
	delete(d.rows, row.claim.Draft.GistID)
	return row.claim, row.lookups, true
}

func (d *inDoubt) freshAbsent() *attempt {
	for _, row := range d.rows {
		if d.absent(row) && time.Since(row.last) < freshLookup {
			return row
		}
	}
	return nil
}
