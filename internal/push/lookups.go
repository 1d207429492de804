package push

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/reconcile"
)

// lookUpUntil looks up attempts in doubt whenever that is due, until ctx ends. A
// lookup goes on after an error that passes by itself. lookUpUntil returns one that
// refuses all work or that only a person can correct, with the cost of the refused
// request.
func (p *Pusher) lookUpUntil(ctx context.Context) (cost float64, err error) {
	for {
		attempts, due := p.inDoubt.all()
		wait := time.Hour
		if len(attempts) > 0 {
			wait = time.Until(due)
		}
		if wait > 0 {
			if !loop.SleepOrWake(ctx, wait, p.inDoubt.wake) {
				return 0, nil
			}
			continue
		}
		spending, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeLookup)
		if err := p.lookUp(spending, attempts); err != nil {
			if ctx.Err() != nil {
				return 0, nil
			}
			p.lookups.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
			return spent.Last(), err
		}
		p.succeeded(stageLookup)
		p.Backoff.Succeeded(StageQuota)
		if p.inDoubt.none() {
			p.Backoff.Clear(gistdeal.Unknown)
		}
	}
}

// lookupFailed waits before a failed lookup goes on. It returns false if ctx ends or
// if waiting is not enough.
func (p *Pusher) lookupFailed(ctx context.Context, failures int, err error) bool {
	if gistdeal.KindOf(err) != gistdeal.Temporary || gistdeal.OwnFault(err) || ctx.Err() != nil {
		return false
	}
	delay := p.Reconciler.RetryDelay(failures, err, gistdeal.CostOf(ctx).Last())
	p.lookups.WithLabelValues(gistdeal.KindOf(err).String()).Inc()
	p.log.Warn("lookup failed", "error", err, "retry_in", delay.String())
	return loop.Sleep(ctx, delay)
}

// lookUp looks up the deals of the attempts. An attempt with an existing deal is no
// longer in doubt; for the others the lookup counts as missed.
func (p *Pusher) lookUp(ctx context.Context, attempts []reconcile.Attempt) error {
	userID := int64(0)
	if me := p.account.Load(); me != nil {
		userID = me.UserID
	}
	begin := time.Now()
	adopted, err := p.Reconciler.LookUp(ctx, userID, attempts, func(failures int, err error) bool {
		return p.lookupFailed(ctx, failures, err)
	})
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
