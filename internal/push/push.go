package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/trace"
)

const (
	// inFlight is how many POSTs may be under way at a time: enough to keep 10
	// a second going when each takes three seconds.
	inFlight = 32
	// tooManyUnknown outcomes in a row mean that the remote is in trouble.
	tooManyUnknown = 5
	// pushPoll is how often other processes' changes are read.
	pushPoll = time.Second

	stagePush   = "push"
	stageLookup = "look"
	stageRecord = "record"
)

// Stages of the backoff from Pipedrive that the leader needs to know.
const (
	StageConnect = "connect"
	StageQuota   = "budget" // our share of the day is spent
)

// pushAll creates deals, and decides about attempts in doubt, until something
// refuses all work: it returns that once no POST is under way.
func (p *Pusher) pushAll(ctx context.Context) stopped {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var pushes, others sync.WaitGroup
	var first atomic.Pointer[stopped] // also of a POST that ends after ctx
	stop := func(s stopped) {
		// Other errors after the end of ctx are only its consequence.
		if ctx.Err() == nil || gistdeal.KindOf(s.err) == gistdeal.Limited {
			first.CompareAndSwap(nil, &s)
		}
		cancel()
	}
	others.Go(func() {
		if cost, err := p.lookUpUntil(ctx); err != nil {
			stop(stopped{stageLookup, err, cost})
		}
	})
	others.Go(func() { p.findOrphaned(ctx) })
	others.Go(func() {
		if err := p.watchTarget(ctx); err != nil {
			stop(stopped{stage: StageConnect, err: err})
		}
	})
	p.claimAndPush(ctx, &pushes, stop)
	pushes.Wait()
	others.Wait()
	if s := first.Load(); s != nil {
		return *s
	}
	return stopped{stage: stagePush, err: ctx.Err()}
}

// stopped is the cause that ended the pushes.
type stopped struct {
	stage string
	err   error
	cost  float64 // of the refused request, as a share of the day's quota
}

// claimAndPush claims deals and pushes each in a goroutine of pushes, until ctx ends.
func (p *Pusher) claimAndPush(ctx context.Context, pushes *sync.WaitGroup, stop func(stopped)) {
	slots := semaphore.NewWeighted(inFlight)
	for {
		weight := p.weight()
		if slots.Acquire(ctx, weight) != nil {
			return
		}
		c, start, ok, err := p.next(ctx)
		if err != nil || !ok {
			slots.Release(weight)
			if err != nil {
				stop(stopped{stage: stagePush, err: err})
			} else {
				loop.SleepOrWake(ctx, pushPoll, p.Queued)
			}
			continue
		}
		p.run.posts(1) // Before next asks again whether anything is left to push.
		pushes.Go(func() {
			defer slots.Release(weight)
			defer p.run.posts(-1)
			if cost, err := p.push(ctx, c, start); err != nil {
				stop(stopped{stagePush, err, cost})
			}
		})
	}
}

// weight returns how many slots the next push takes: all of them while the remote
// is in trouble, so that there is one trial at a time.
func (p *Pusher) weight() int64 {
	if p.Backoff.Active() || p.Faults.Active() || p.inDoubt.inARow() >= tooManyUnknown {
		return inFlight
	}
	return 1
}

// next claims the next deal to push once the client has reserved a request for it.
// start is the begin of the attempt, for its deadline. A database that fails may come
// back without its last commits, so the next claim follows a catch-up.
func (p *Pusher) next(ctx context.Context) (c gistdeal.Claim, start time.Time, ok bool, err error) {
	due, catchUp, err := p.anyDue(ctx)
	if err != nil || !due && !catchUp {
		return c, start, false, err
	}
	if err := p.pipedrive.Reserve(ctx); err != nil {
		return c, start, false, p.waitForTurn(ctx, err)
	}
	p.Backoff.Succeeded(StageQuota)
	if catchUp {
		return c, start, false, p.catchUpAgain(ctx)
	}
	start = time.Now()
	// A claim is not cut short: it would be unknown whether it was committed. A
	// claim that fails ends the pushes, and they start again with all rows that
	// are being sent.
	ctx = context.WithoutCancel(ctx)
	defer func() { p.checkDatabase(ctx, err) }()
	if absent, lookups, ok := p.inDoubt.takeAbsent(); ok {
		c, ok, err = p.sendAgain(ctx, absent, lookups)
		return c, start, ok, err
	}
	c, ok, err = p.store.Claim(ctx, p.options.Owner, p.now(), p.Reconciler.EarliestNow())
	if ok && c.Resends > 0 {
		// An operator retried the deal after lookups did not find that of an earlier
		// attempt. It may still show up, so lookups come first again.
		p.inDoubt.put(c)
		p.Queued.Set()
		ok = false
	}
	return c, start, ok, err
}

// checkDatabase demands a catch-up before the next claim if the database has failed.
func (p *Pusher) checkDatabase(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		p.Reconciler.Reset(err)
	}
}

// anyDue reports whether a deal may be sent now, one that is queued or one that lookups
// have just not found, and whether a catch-up must come first.
func (p *Pusher) anyDue(ctx context.Context) (due, catchUp bool, err error) {
	absent, fresh := p.inDoubt.anyAbsent()
	if absent {
		pause, err := p.store.PushPause(ctx)
		p.checkDatabase(ctx, err)
		if err != nil || pause.On() {
			return false, false, err // Lookups would be in vain.
		}
	}
	if fresh {
		return true, false, nil
	}
	if absent {
		p.inDoubt.refresh()
	}
	due, wanted, err := p.store.Due(ctx)
	p.checkDatabase(ctx, err)
	if err == nil && !due && !wanted && p.inDoubt.none() {
		p.Backoff.Idle()
		p.Faults.Idle()
		p.run.idle(ctx)
	}
	return due, err == nil && p.Reconciler.CatchUpDue(due, wanted), err
}

// catchUpAgain makes the catch-up that queued deals wait for.
func (p *Pusher) catchUpAgain(ctx context.Context) error {
	spending, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeCatchUp)
	err := p.Reconciler.CatchUpAgain(spending)
	p.checkDatabase(ctx, err)
	if err != nil && gistdeal.KindOf(err) != gistdeal.Limited {
		p.Backoff.Charge(spent.Last())
	}
	return err
}

// sendAgain claims the next attempt at a deal that lookups did not find.
func (p *Pusher) sendAgain(ctx context.Context, absent gistdeal.Claim, lookups int) (c gistdeal.Claim, ok bool, err error) {
	failpoint.Hit(failpoint.NotFound)
	c, ok, err = p.store.Reclaim(ctx, absent, lookups, p.options.Owner, p.now(), p.Reconciler.EarliestNow())
	if ok {
		failpoint.Hit(failpoint.Reclaimed)
		p.log.Info("deal not found, sent again", "gist", c.Draft.GistID, "attempt", c.Attempt, "lookups", lookups)
	} else if err == nil {
		err = p.putBack(ctx, absent)
	}
	return c, ok, err
}

// waitForTurn waits out a limit on pushes: the day's quota or our share of it is
// spent, or there is a ban. Lookups go on meanwhile.
func (p *Pusher) waitForTurn(ctx context.Context, err error) error {
	if gistdeal.KindOf(err) != gistdeal.Limited {
		return err
	}
	p.begin(stopped{stage: stagePush, err: err})
	p.Backoff.Wait(ctx)
	return ctx.Err()
}

// putBack returns an attempt to those in doubt if it still is: an operator paused
// the pushes before its next attempt was claimed. Its lookups start again.
func (p *Pusher) putBack(ctx context.Context, absent gistdeal.Claim) error {
	claims, err := p.store.InDoubt(ctx)
	for _, c := range claims {
		if c.Draft.GistID == absent.Draft.GistID && c.Attempt == absent.Attempt {
			p.inDoubt.put(c)
		}
	}
	return err
}

// push makes one attempt at one deal and records its outcome. It returns an error,
// and the cost of the attempt, if pushing other deals is pointless for now.
func (p *Pusher) push(ctx context.Context, c gistdeal.Claim, start time.Time) (cost float64, err error) {
	failpoint.Hit(failpoint.Claimed)
	// A POST under way is not cut short by a stop: its own deadline ends it.
	ctx, span := trace.Start(context.WithoutCancel(ctx), trace.Internal, "push", slog.String("gistdeal.gist", c.Draft.GistID), slog.Int("gistdeal.attempt", c.Attempt))
	defer span.End(nil)
	spending, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposePush)
	dealID, err := p.pipedrive.CreateDeal(spending, start, c.Draft)
	kind := gistdeal.KindOf(err)
	if err != nil {
		p.pushes.WithLabelValues(kind.String()).Inc()
		span.Fail(kind.String())
	}
	if err == nil || kind != gistdeal.Unknown {
		p.inDoubt.known()
	}
	switch {
	case err == nil:
		p.created(ctx, c, dealID)
		return 0, nil
	case kind == gistdeal.Invalid && errors.Is(err, gistdeal.ErrForbidden):
		return spent.All(), p.forbid(ctx, c, err)
	case kind == gistdeal.Invalid:
		p.refused(ctx, c, err)
		p.succeeded(stagePush)
		return 0, nil
	case errors.Is(err, gistdeal.ErrNoDeal):
		return spent.All(), p.noDeal(ctx, c, err)
	case errors.Is(err, gistdeal.ErrRule):
		p.hold(ctx, c, err)
		return 0, err // What Pipedrive has is read again, and the others go on.
	case kind == gistdeal.Unknown:
		p.log.Warn("deal's outcome unknown", "gist", c.Draft.GistID, "attempt", c.Attempt, "error", err)
		p.inDoubt.add(c)
		if p.inDoubt.inARow() < tooManyUnknown {
			return 0, nil
		}
		return spent.All(), err
	}
	p.giveBack(ctx, c, err, false)
	return spent.All(), err
}

// refused records that Pipedrive refused this deal alone.
func (p *Pusher) refused(ctx context.Context, c gistdeal.Claim, err error) {
	p.log.Warn("deal refused", "gist", c.Draft.GistID, "login", c.Draft.Login, "error", err)
	p.record(ctx, func(ctx context.Context) error { return p.store.Refuse(ctx, c, loop.Reason(err), p.now()) })
	p.run.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Failed++ })
}

// noDeal records that Pipedrive accepted a deal without naming it. A further attempt could
// create a second one. noDeal returns an error if that happens to all deals.
func (p *Pusher) noDeal(ctx context.Context, c gistdeal.Claim, err error) error {
	_, all := p.forbidden.add(c.Draft.GistID)
	problem := gistdeal.Errorf(gistdeal.Unauthorized,
		"%s: it may be on a waiting list, because the plan is full; look for it in Pipedrive, and retry it only if it is not there", loop.Reason(err))
	p.log.Warn("deal accepted, not created", "gist", c.Draft.GistID, "attempt", c.Attempt, "error", err)
	p.record(ctx, func(ctx context.Context) error {
		return p.store.RecordNoDeal(ctx, c, problem.Error(), p.now())
	})
	p.run.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Failed++ })
	if !all {
		return nil
	}
	return errors.Join(problem, err)
}

// forbid records a 403. The deal is sent once more after others, and fails only if others
// were created meanwhile. forbid returns an error if the account is forbidden all deals.
func (p *Pusher) forbid(ctx context.Context, c gistdeal.Claim, err error) error {
	alone, all := p.forbidden.add(c.Draft.GistID)
	if alone {
		p.refused(ctx, c, err)
		return nil
	}
	p.giveBack(ctx, c, err, true)
	if !all {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Unauthorized, Err: fmt.Errorf("no deal can be created: %w", err)}
}

// giveBack records that the attempt certainly created no deal. behind is as for the store.
func (p *Pusher) giveBack(ctx context.Context, c gistdeal.Claim, err error, behind bool) {
	p.record(ctx, func(ctx context.Context) error {
		back, writeErr := p.store.GiveBack(ctx, c, loop.Reason(err), behind, p.now())
		if writeErr == nil && !back {
			p.inDoubt.put(c)
		}
		return writeErr
	})
}

// hold records that the deal waits for approval, because its rule wants what Pipedrive does
// not have any more.
func (p *Pusher) hold(ctx context.Context, c gistdeal.Claim, err error) {
	p.log.Warn("deal awaits approval", "gist", c.Draft.GistID, "login", c.Draft.Login, "error", err)
	p.record(ctx, func(ctx context.Context) error {
		waits, writeErr := p.store.Hold(ctx, c, loop.Reason(err), p.now())
		if writeErr == nil && !waits {
			p.inDoubt.put(c)
		}
		return writeErr
	})
}

// created records that an attempt created a deal.
func (p *Pusher) created(ctx context.Context, c gistdeal.Claim, dealID int64) {
	failpoint.Hit(failpoint.Answered)
	p.pushes.WithLabelValues("created").Inc()
	if !c.Published.IsZero() {
		p.latency.Observe(max(p.now().Sub(c.Published).Seconds(), 0))
	}
	p.log.Info("deal created", "gist", c.Draft.GistID, "deal", dealID, "login", c.Draft.Login)
	p.record(ctx, func(ctx context.Context) error {
		known, err := p.store.RecordCreated(ctx, c, dealID, p.now())
		if err == nil && !known {
			p.inDoubt.put(c)
		}
		return err
	})
	p.forbidden.success(c.Draft.GistID)
	failpoint.Hit(failpoint.Recorded)
	p.run.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Deals++ })
	p.succeeded(stagePush)
}

// record writes an outcome. While the database does not take it, nothing is pushed, so that
// is a fault for others to see.
func (p *Pusher) record(ctx context.Context, write func(context.Context) error) {
	loop.Record(ctx, p.Stopping, p.log, func(ctx context.Context) error {
		err := write(ctx)
		if err == nil {
			p.Faults.Succeeded(stageRecord)
		} else if !p.Faults.Active() {
			p.Faults.Begin(stageRecord, err)
		}
		return err
	})
}
