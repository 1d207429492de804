package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

const (
	// inFlight is how many POSTs may be under way at a time: enough to keep 10
	// a second going when each takes three seconds.
	inFlight = 32
	// tooManyUnknown outcomes in a row mean that the remote is in trouble.
	tooManyUnknown = 5
	// pushPoll is how often another process's changes are looked for.
	pushPoll = time.Second
	// recordTimeout bounds one try to write an outcome.
	recordTimeout = 5 * time.Second

	stageConnect = "connect"
	stagePush    = "push"
	stageLook    = "look"
	stageBudget  = "budget"
)

// makeDeals connects, catches up, and then pushes what is due, until ctx ends.
// What refuses all work closes the gate, and the work begins again behind it.
// Outcomes of what was sent are recorded until run ends.
func (e *Engine) makeDeals(run, ctx context.Context) error {
	connected, caughtUp := false, false
	for e.pushing.wait(ctx) {
		err := error(nil)
		if !connected {
			err = e.connect(ctx)
			connected = err == nil
		}
		if err == nil && !caughtUp {
			err = e.catchUp(ctx)
			caughtUp = err == nil
			e.ready.Store(caughtUp)
		}
		if err == nil {
			err = e.doubts.load(ctx, e.store)
		}
		stage := stageConnect
		if err == nil {
			e.pushing.succeeded(stageConnect)
			stage, err = e.push(run, ctx)
		}
		if ctx.Err() != nil {
			if gistdeal.KindOf(err) == gistdeal.Limited {
				e.pushing.close(stage, err) // A limit outlasts this process.
			}
			break
		}
		if _, ok := errors.AsType[*OtherCompanyError](err); ok {
			return err
		}
		if errors.Is(err, errChosenAnew) {
			connected = false
			continue
		}
		e.pushing.close(stage, err)
		// Whatever a person changes to help, a key, a field or the pipeline, is
		// read anew; what passes by itself needs no reading.
		connected = connected && passes(err)
	}
	return nil
}

// passes reports whether what err says is expected to pass by itself.
func passes(err error) bool {
	switch gistdeal.KindOf(err) {
	case gistdeal.Limited, gistdeal.Temporary, gistdeal.Unknown:
		return true
	}
	return false
}

// push makes deals, and decides about attempts of unknown outcome, until
// something refuses all work: that is returned, with where it came from, once
// no POST is under way any more.
func (e *Engine) push(run, held context.Context) (stage string, err error) {
	ctx, cancel := context.WithCancel(held)
	defer cancel()
	var pushes, looks sync.WaitGroup
	var first atomic.Pointer[stopped] // also of a POST that ends after ctx
	stop := func(where string, err error) {
		if ctx.Err() == nil || gistdeal.KindOf(err) == gistdeal.Limited { // Not what only comes of the stop.
			first.CompareAndSwap(nil, &stopped{stage: where, err: err})
		}
		cancel()
	}
	looks.Go(func() {
		if err := e.lookUntil(ctx); err != nil {
			stop(stageLook, err)
		}
	})
	slots := semaphore.NewWeighted(inFlight)
	looks.Go(func() { e.findStrays(ctx) })
	looks.Go(func() {
		if err := e.watchAim(ctx); err != nil {
			stop(stageConnect, err)
		}
	})
	for {
		weight := e.weight()
		if slots.Acquire(ctx, weight) != nil {
			break
		}
		c, start, ok, err := e.next(ctx)
		if err != nil || !ok {
			slots.Release(weight)
			if err != nil {
				stop(stagePush, err)
			} else {
				sleepUnless(ctx, pushPoll, e.found)
			}
			continue
		}
		e.round.begun(1) // Before the next look whether anything is left to push.
		pushes.Go(func() {
			defer slots.Release(weight)
			defer e.round.begun(-1)
			if err := e.pushOne(run, c, start); err != nil {
				stop(stagePush, err)
			}
		})
	}
	pushes.Wait()
	looks.Wait()
	defer func() { e.round.end(held, err) }()
	if s := first.Load(); s != nil {
		return s.stage, s.err
	}
	return stagePush, ctx.Err()
}

// stopped is why the pushes of a round ended.
type stopped struct {
	stage string
	err   error
}

// weight returns how many of the slots the next push takes: all of them while
// the remote is in trouble, so that there is one trial at a time.
func (e *Engine) weight() int64 {
	if e.pushing.trying() || e.doubts.inARow() >= tooManyUnknown || failpoint.Broken(failpoint.LateClaim) {
		return inFlight
	}
	return 1
}

// next claims the next deal to push, the limiter's token already in hand. start
// is when the attempt began, for its deadline.
func (e *Engine) next(ctx context.Context) (c gistdeal.Claim, start time.Time, ok bool, err error) {
	if !e.doubts.anyAbsent() {
		due, err := e.store.Due(ctx)
		if err == nil && !due && e.doubts.none() {
			e.pushing.idle()
			e.round.idle(ctx)
		}
		if err != nil || !due {
			return c, start, false, err
		}
	}
	if err := e.pipedrive.Reserve(ctx); err != nil {
		return c, start, false, e.waitForTurn(ctx, err)
	}
	e.pushing.succeeded(stageBudget)
	start = time.Now()
	// A claim is not cut short: nobody would know whether it was committed. One
	// that fails ends the round, and the next begins with all that is sending.
	ctx = context.WithoutCancel(ctx)
	if absent, looks, found := e.doubts.takeAbsent(); found {
		failpoint.Hit(failpoint.Absent)
		if failpoint.Broken(failpoint.NoFence) {
			absent = e.present(ctx, absent)
		}
		c, ok, err = e.store.Reclaim(ctx, absent, looks, e.options.Owner, e.now(), e.pipedriveNow())
		if ok {
			failpoint.Hit(failpoint.Reclaimed)
			e.log.Info("deal absent, sent again", "gist", c.Draft.GistID, "attempt", c.Attempt, "looks", looks)
		} else if err == nil {
			err = e.putBack(ctx, absent)
		}
		return c, start, ok, err
	}
	c, ok, err = e.store.Claim(ctx, e.options.Owner, e.now(), e.pipedriveNow())
	if ok && c.Absences > 0 {
		// A person had it tried again after an attempt that was only taken for
		// absent: what that may have made by now is looked for first.
		e.doubts.put(c)
		poke(e.found)
		ok = false
	}
	if ok && failpoint.Broken(failpoint.LateClaim) {
		_, err = e.store.GiveBack(ctx, c, "", e.now())
	}
	return c, start, ok, err
}

// waitForTurn waits if nothing may be sent for a time, because the day's budget
// or our share of it is spent, or because of a ban; looks go on meanwhile.
func (e *Engine) waitForTurn(ctx context.Context, err error) error {
	if gistdeal.KindOf(err) != gistdeal.Limited {
		return err
	}
	stage := stagePush
	if errors.Is(err, gistdeal.ErrSpent) {
		stage = stageBudget
	}
	e.pushing.close(stage, err)
	e.pushing.wait(ctx)
	return ctx.Err()
}

// putBack takes an attempt up again that was not to be followed by another, if
// it is still in doubt: a person has paused all pushes. Looks begin anew.
func (e *Engine) putBack(ctx context.Context, absent gistdeal.Claim) error {
	claims, err := e.store.Unknown(ctx)
	for _, c := range claims {
		if c.Draft.GistID == absent.Draft.GistID && c.Attempt == absent.Attempt {
			e.doubts.put(c)
		}
	}
	return err
}

// pushOne makes one attempt at one deal and records its outcome. It returns an
// error if going on with other deals is no use for now.
func (e *Engine) pushOne(ctx context.Context, c gistdeal.Claim, start time.Time) error {
	failpoint.Hit(failpoint.Claimed)
	// A POST that has begun is not cut short by a stop: its own deadline ends it.
	dealID, err := e.pipedrive.CreateDeal(context.WithoutCancel(ctx), start, c.Draft)
	kind := gistdeal.KindOf(err)
	if err != nil {
		e.metrics.pushes.WithLabelValues(kind.String()).Inc()
	}
	if err == nil || kind != gistdeal.Unknown {
		e.doubts.known()
	}
	switch {
	case err == nil:
		failpoint.Hit(failpoint.Answered)
		e.metrics.pushes.WithLabelValues("made").Inc()
		e.log.Info("deal made", "gist", c.Draft.GistID, "deal", dealID, "login", c.Draft.Login)
		e.record(ctx, func(ctx context.Context) error {
			known, err := e.store.Made(ctx, c, dealID, e.now())
			if err == nil && !known {
				e.doubts.put(c)
			}
			return err
		})
		failpoint.Hit(failpoint.Recorded)
		e.round.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Deals++ })
		e.pushing.succeeded(stagePush)
		return nil
	case kind == gistdeal.Invalid:
		e.log.Warn("deal refused", "gist", c.Draft.GistID, "login", c.Draft.Login, "error", err)
		e.record(ctx, func(ctx context.Context) error { return e.store.Refuse(ctx, c, reasonOf(err), e.now()) })
		e.round.note(ctx, func(r *gistdeal.Run) { r.Done++; r.Failed++ })
		e.pushing.succeeded(stagePush)
		return nil
	case kind == gistdeal.Unknown:
		e.log.Warn("deal's outcome unknown", "gist", c.Draft.GistID, "attempt", c.Attempt, "error", err)
		e.doubts.add(c)
		if e.doubts.inARow() < tooManyUnknown {
			return nil
		}
		return err
	}
	e.record(ctx, func(ctx context.Context) error {
		back, writeErr := e.store.GiveBack(ctx, c, reasonOf(err), e.now())
		if writeErr == nil && !back {
			e.doubts.put(c)
		}
		return writeErr
	})
	return err
}

// record writes an outcome and, if the database is away, tries again until it
// is written or ctx ends: then once more, and what is still not written stays
// sending and is looked for after the next start.
func (e *Engine) record(ctx context.Context, write func(context.Context) error) {
	for pause, last := 100*time.Millisecond, false; ; pause = min(2*pause, recordTimeout) {
		tryCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err := write(tryCtx)
		cancel()
		if err == nil {
			return
		}
		e.log.Error("outcome not recorded", "error", err, "last_try", last)
		if last {
			return
		}
		last = !sleep(ctx, pause)
	}
}
