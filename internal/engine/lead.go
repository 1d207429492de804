package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal"
	"gistdeal/internal/loop"
)

// leaseRetry is how often a process without the lease tries to get it.
const leaseRetry = time.Second

// Run works until ctx ends, and then until the deals that are being sent have an
// outcome. It first waits for the lease, as long as that takes, and does so again
// after it lost the lease. It returns an error only for a mistake that a person
// has to correct before the next start.
func (e *Engine) Run(ctx context.Context) error {
	var others sync.WaitGroup
	defer others.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	others.Go(func() { e.announceStop(ctx) })
	others.Go(func() { e.store.Listen(ctx, e.scanner.Notified) })
	for {
		leading, err := e.awaitLease(ctx)
		if err != nil || leading == nil {
			return err
		}
		err = e.lead(leading)
		e.reconciler.Reset(context.Cause(leading))
		if leading.Err() == nil || ctx.Err() != nil { // Otherwise another process may know better.
			e.keepLastQuotas(ctx)
			e.noteLastWork(ctx)
		}
		if releaseErr := e.store.Release(); releaseErr != nil {
			e.log.Error("lease not released", "error", releaseErr)
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
		e.log.Warn("lease lost", "meaning", "this instance only answers reads until it has the lease again", "reason", context.Cause(leading))
	}
}

// announceStop tells the loops that ctx has ended, and after the drain also
// everything that waits for the result of a request.
func (e *Engine) announceStop(ctx context.Context) {
	<-ctx.Done()
	close(e.stopped)
	loop.Sleep(context.WithoutCancel(ctx), e.options.Drain)
	close(e.drained)
}

// lead runs all loops until ctx, the context of the lease, ends, and then until
// the deals that are being sent have an outcome. It starts from the database:
// another process may have led since this one did.
func (e *Engine) lead(ctx context.Context) error {
	e.pusher.Reset()
	e.restoreQuotas(ctx)
	e.endRuns(ctx)
	e.scanner.BringForward(ctx)
	e.leading.Store(true)
	defer e.leading.Store(false)
	g, ctx := errgroup.WithContext(ctx)
	loops := []func(context.Context) error{
		e.scanner.ServeRequests, e.scanner.ResolveRequests, e.scanner.Sweep, e.feed.Run, e.pusher.Run, e.amender.Run, e.reconciler.Watch, e.keepQuotas, e.deleteEvents, e.planSweeps, e.noteGitHub, e.noteWork,
	}
	for _, run := range []func(context.Context) error{e.options.Operations, e.options.Retention, e.options.Deliveries} {
		if run != nil {
			loops = append(loops, run)
		}
	}
	for _, run := range loops {
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}

// awaitLease returns the context of the lease once this process holds it, nil if
// ctx ended before.
func (e *Engine) awaitLease(ctx context.Context) (context.Context, error) {
	var once sync.Once
	for {
		leading, err := e.store.TryLease(ctx)
		if leading != nil {
			return leading, nil
		}
		if err != nil && ctx.Err() == nil && gistdeal.KindOf(err) != gistdeal.Temporary {
			return nil, err
		}
		if err == nil {
			once.Do(func() {
				e.log.Warn("another instance is the leader", "meaning", "this instance only answers reads until that one ends")
			})
		}
		if !loop.Sleep(ctx, leaseRetry) {
			return nil, nil
		}
	}
}

// endRuns ends the runs that an earlier leader left in progress.
func (e *Engine) endRuns(ctx context.Context) {
	if err := e.store.InterruptRuns(ctx); err != nil && ctx.Err() == nil {
		e.log.Warn("interrupted runs not ended", "error", err)
	}
}

// noteGitHub reads once which account the token belongs to.
func (e *Engine) noteGitHub(ctx context.Context) error {
	login, token, err := e.github.TokenLogin(ctx)
	if ctx.Err() != nil {
		return nil
	}
	e.accounts.Note(ctx, func(a *gistdeal.Accounts) {
		a.GitHub = gistdeal.GitHubAccess{Token: token, Login: login}
		if err != nil {
			a.GitHub.Problem = loop.Reason(err)
		}
	})
	return nil
}
