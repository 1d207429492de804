package engine

import (
	"context"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

const (
	firstLook = 2 * time.Second // after an attempt whose outcome is unknown, at the most
	minLooks  = 3               // complete looks without the deal, at the least
	freshLook = 5 * time.Second // a claim follows the last look within this time
	maxDelay  = 64              // times Absence: how long a row that stays unknown waits at the most
)

// doubt is an attempt whose outcome is unknown. Its times are on our
// monotonic clock; a restart begins the looks again.
type doubt struct {
	claim    gistdeal.Claim
	looks    int
	due      time.Time // of the next look
	first    time.Time // end of the first look
	lastFrom time.Time // begin of the last look
	last     time.Time // end of the last look
}

// doubts are all attempts whose outcome is unknown and that nothing is under way for.
type doubts struct {
	absence time.Duration
	wake    chan struct{}

	mu      sync.Mutex
	rows    map[string]*doubt // by gist id
	unknown int               // outcomes in a row
}

// reset forgets all of them: the database knows what is in doubt now.
func (d *doubts) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows, d.unknown = map[string]*doubt{}, 0
}

// load takes up every attempt that the database has as sending: what an
// earlier process left, or a claim of ours that failed halfway. Nothing may be
// under way.
func (d *doubts) load(ctx context.Context, s Store) error {
	claims, err := s.Unknown(ctx)
	if err != nil {
		return err
	}
	for _, c := range claims {
		d.put(c)
	}
	return nil
}

// add takes up an attempt that just ended with an unknown outcome.
func (d *doubts) add(c gistdeal.Claim) {
	d.mu.Lock()
	d.unknown++
	d.mu.Unlock()
	d.put(c)
}

// put takes up an attempt, unless it is there already.
func (d *doubts) put(c gistdeal.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if row := d.rows[c.Draft.GistID]; row != nil && row.claim.Attempt == c.Attempt {
		return
	}
	d.rows[c.Draft.GistID] = &doubt{claim: c, due: time.Now().Add(min(firstLook, d.absence/10))}
	poke(d.wake)
}

// known ends a row of unknown outcomes.
func (d *doubts) known() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unknown = 0
}

// inARow returns how many outcomes in a row were unknown.
func (d *doubts) inARow() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unknown
}

// all returns the attempts in doubt by gist id, and when the first of their looks is due.
func (d *doubts) all() (claims map[string]gistdeal.Claim, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	claims = make(map[string]gistdeal.Claim, len(d.rows))
	for id, row := range d.rows {
		claims[id] = row.claim
		if due.IsZero() || row.due.Before(due) {
			due = row.due
		}
	}
	return claims, due
}

// none reports whether nothing is in doubt.
func (d *doubts) none() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.rows) == 0
}

// drop ends the doubt about an attempt, unless there is a newer one at the same gist.
func (d *doubts) drop(c gistdeal.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if row := d.rows[c.Draft.GistID]; row != nil && row.claim.Attempt == c.Attempt {
		delete(d.rows, c.Draft.GistID)
	}
}

// looks returns how many complete looks there were for an attempt.
func (d *doubts) looks(c gistdeal.Claim) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if row := d.rows[c.Draft.GistID]; row != nil && row.claim.Attempt == c.Attempt {
		return row.looks
	}
	return 0
}

// missed records a complete look, from begin to end, that did not find the attempt's deal.
func (d *doubts) missed(c gistdeal.Claim, begin, end time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	row := d.rows[c.Draft.GistID]
	if row == nil || row.claim.Attempt != c.Attempt {
		return
	}
	row.looks++
	row.lastFrom, row.last = begin, end
	if row.looks == 1 {
		row.first = end
	}
	switch span := d.span(c); {
	case d.absent(row):
		// Nobody takes it: no slot is free, or a trial is under way.
		row.due = end.Add(freshLook << min(row.looks-minLooks, 6))
	case row.looks < minLooks-1:
		row.due = end.Add(span / minLooks)
	default:
		row.due = row.first.Add(span)
	}
}

// span returns how long the deal must be missing: twice as long after each
// absence, for a gist whose every attempt ends like this.
func (d *doubts) span(c gistdeal.Claim) time.Duration {
	return d.absence * time.Duration(min(1<<min(c.Absences, 10), maxDelay))
}

// absent reports whether enough looks over enough time did not find the deal.
func (d *doubts) absent(row *doubt) bool {
	return row.looks >= minLooks && row.lastFrom.Sub(row.first) >= d.span(row.claim)
}

// anyAbsent reports whether takeAbsent would find something now.
func (d *doubts) anyAbsent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.freshAbsent() != nil
}

// takeAbsent takes out an attempt that surely made no deal, as of a look that
// has only just ended.
func (d *doubts) takeAbsent() (c gistdeal.Claim, looks int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	row := d.freshAbsent()
	if row == nil {
		return c, 0, false
	}
	delete(d.rows, row.claim.Draft.GistID)
	return row.claim, row.looks, true
}

func (d *doubts) freshAbsent() *doubt {
	for _, row := range d.rows {
		if d.absent(row) && time.Since(row.last) < freshLook || failpoint.Broken(failpoint.NoLook) {
			return row
		}
	}
	return nil
}

// lookUntil looks whenever a look is due, until ctx ends. A look that failed is
// tried again here; what refuses all work, or only a person can mend, is returned.
func (e *Engine) lookUntil(ctx context.Context) error {
	for pause := firstPause; ; {
		claims, due := e.doubts.all()
		wait := time.Hour
		if len(claims) > 0 {
			wait = time.Until(due)
		}
		if wait > 0 {
			if !sleepUnless(ctx, wait, e.doubts.wake) {
				return nil
			}
			continue
		}
		err := e.look(ctx, claims)
		if err == nil {
			pause = firstPause
			e.pushing.succeeded(stageLook)
			if e.doubts.none() {
				e.pushing.cleared(gistdeal.Unknown)
			}
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		e.metrics.looks.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
		if gistdeal.KindOf(err) != gistdeal.Temporary {
			return err
		}
		e.log.Warn("look failed", "error", err, "retry_in", pause.String())
		if !sleep(ctx, pause) {
			return nil
		}
		pause = min(2*pause, time.Minute)
	}
}

// look lists the deals made since the oldest of claims, and decides about each:
// its deal is there, or it was not seen this time. One look serves all. A list
// of which a page failed is no look.
func (e *Engine) look(ctx context.Context, claims map[string]gistdeal.Claim) error {
	begin, since := time.Now(), e.pipedriveNow()
	for _, c := range claims {
		if c.Since.Before(since) {
			since = c.Since
		}
	}
	seen := map[string][]gistdeal.RemoteDeal{}
	err := e.listDeals(ctx, since.Add(-lookBack), func(d gistdeal.RemoteDeal) {
		// Known by its URL alone is one whose field "Gist ID" a person deleted.
		if c, ok := claims[d.GistID]; ok && (d.Exact || e.madeBy(c, d)) {
			seen[d.GistID] = append(seen[d.GistID], d)
		}
	})
	if err != nil {
		return err
	}
	end := time.Now()
	failpoint.Hit(failpoint.Looked)
	for gistID, c := range claims {
		adopted, err := e.adopt(ctx, c, seen[gistID])
		if err != nil {
			return err
		}
		if !adopted {
			e.doubts.missed(c, begin, end)
		}
	}
	e.metrics.looks.WithLabelValues("complete").Inc()
	poke(e.found)
	return nil
}

// adopt decides that one of deals is what the attempt c made, and reports
// whether it did.
func (e *Engine) adopt(ctx context.Context, c gistdeal.Claim, deals []gistdeal.RemoteDeal) (bool, error) {
	if len(deals) == 0 {
		return false, nil
	}
	chosen, surplus := choose(deals, func(d gistdeal.RemoteDeal) bool { return e.madeBy(c, d) })
	looks := e.doubts.looks(c) + 1
	adopted, err := e.store.AdoptUnknown(ctx, c, chosen.ID, surplus, looks, e.now())
	if err != nil || !adopted {
		return false, err
	}
	e.doubts.drop(c)
	e.round.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Deals++ })
	e.log.Info("deal found by a look", "gist", c.Draft.GistID, "deal", chosen.ID, "attempt", c.Attempt, "looks", looks)
	if len(surplus) > 0 {
		e.log.Warn("gist has more than one deal", "gist", c.Draft.GistID, "deal", chosen.ID, "surplus", surplus)
	}
	return true, nil
}

// madeBy reports whether the key's user made d since the attempt c, or an
// earlier one at the same gist.
func (e *Engine) madeBy(c gistdeal.Claim, d gistdeal.RemoteDeal) bool {
	me := e.account.Load()
	return me != nil && d.CreatorID == me.UserID && !d.AddedAt.Before(c.Since.Add(-lookBack))
}
