package reconcile

import (
	"context"
	"fmt"
	"time"
)

const (
	againFirst  = 100 * time.Millisecond // pause after the first catch-up of a series
	againAtMost = 5 * time.Minute
	againReset  = time.Minute // longer than the pause without a catch-up ends the series
	// againDue is how old a catch-up may be when a deal is due: it may have been due for
	// as long, because the day's quota was spent.
	againDue = 6 * time.Hour
	// againDaily keeps the lists of the next catch-up short.
	againDaily = 24 * time.Hour
)

// again spaces the catch-ups that queued deals wait for. Each of them costs tokens, and the
// first scans of many users come one after another, so the pause grows as long as they do.
type again struct {
	ended time.Time // of the last catch-up, on our monotonic clock
	pause time.Duration
}

func (a *again) end() {
	if time.Since(a.ended) > a.pause+againReset {
		a.pause = 0
	}
	a.ended, a.pause = time.Now(), min(max(a.pause*3/2, againFirst), againAtMost)
}

// CatchUpDue reports whether it is time for CatchUpAgain. due means that a deal can be
// claimed, wanted that queued deals wait for a catch-up.
func (r *Reconciler) CatchUpDue(due, wanted bool) bool {
	since := time.Since(r.again.ended)
	return wanted && since >= r.again.pause || due && since >= againDue || since >= againDaily
}

// CatchUpAgain adopts the deals that changed since the last catch-up, because people may
// have created the deals of queued gists by hand: during a pause, before an approval or a
// retry, or before the first scan of a user. Only the goroutine of CatchUp may call it.
func (r *Reconciler) CatchUpAgain(ctx context.Context) error {
	since, err := r.knownUntil(ctx, false)
	if err != nil {
		return err
	}
	begin := r.EarliestNow()
	if _, err := r.adoptSince(ctx, since, r.RemoteNow()); err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	if err := r.store.EndCatchUp(ctx, begin); err != nil {
		return err
	}
	r.again.end()
	r.queued.Set()
	return nil
}
