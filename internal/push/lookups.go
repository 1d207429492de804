package push

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/reconcile"
)

// lookUpUntil looks up attempts in doubt whenever that is due, until ctx ends. It
// repeats a lookup that failed for a moment, and returns an error that refuses
// all work or that only a person can correct.
func (p *Pusher) lookUpUntil(ctx context.Context) error {
	for delay := loop.FirstDelay; ; {
		attempts, due := p.inDoubt.all()
		wait := time.Hour
		if len(attempts) > 0 {
			wait = time.Until(due)
		}
		if wait > 0 {
			if !loop.SleepOrWake(ctx, wait, p.inDoubt.wake) {
				return nil
			}
			continue
		}
		err := p.lookUp(ctx, attempts)
		if err == nil {
			delay = loop.FirstDelay
			p.Backoff.Succeeded(stageLookup)
			if p.inDoubt.none() {
				p.Backoff.Clear(gistdeal.Unknown)
			}
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		p.lookups.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
		if gistdeal.KindOf(err) != gistdeal.Temporary {
			return err
		}
		p.log.Warn("lookup failed", "error", err, "retry_in", delay.String())
		if !loop.Sleep(ctx, delay) {
			return nil
		}
		delay = min(2*delay, loop.MaxDelay)
	}
}

// lookUp looks up the deals of the attempts. An attempt with an existing deal is no
// longer in doubt; for the others the lookup counts as missed.
func (p *Pusher) lookUp(ctx context.Context, attempts []reconcile.Attempt) error {
	userID := int64(0)
	if me := p.account.Load(); me != nil {
		userID = me.UserID
	}
	begin := time.Now()
	adopted, err := p.Reconciler.LookUp(ctx, userID, attempts)
	for _, c := range adopted {
		p.inDoubt.drop(c)
		p.run.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Deals++ })
	}
	if err != nil {
		return err
	}
	end := time.Now()
	for _, a := range attempts {
		p.inDoubt.missed(a.Claim, begin, end) // Adopted ones are dropped already.
	}
	p.lookups.WithLabelValues("complete").Inc()
	p.Queued.Set()
	return nil
}

// findOrphaned takes up orphaned claims until ctx ends. A process or the database
// may freeze, so that a claim is committed long after its process gave it up.
// Nothing is being sent any more for an attempt that was there resendAfter ago:
// the deadline of each attempt is earlier.
func (p *Pusher) findOrphaned(ctx context.Context) {
	before := map[string]int{} // attempts by gist
	for loop.Sleep(ctx, p.inDoubt.resendAfter) {
		claims, err := p.store.InDoubt(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.log.Error("attempts in doubt not read", "error", err)
			}
			continue
		}
		now := make(map[string]int, len(claims))
		for _, c := range claims {
			now[c.Draft.GistID] = c.Attempt
			if before[c.Draft.GistID] == c.Attempt {
				p.inDoubt.put(c)
			}
		}
		before = now
	}
}
