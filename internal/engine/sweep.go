package engine

import (
	"cmp"
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal"
)

const (
	sweepScans = 2               // scans at a time that nobody waits for
	sweepBatch = 100             // due users read at a time
	sweepPoll  = time.Second     // how often due users are looked for
	sweepTold  = 5 * time.Minute // how often the log says at most that nobody is due
)

// sweep scans users when they are due, until ctx ends. After a downtime that
// is all of them, and they follow one another as fast as GitHub's limit allows.
// Whoever watches the log hears now and then that nobody is left: silence means
// that scans are late, or that no process works.
func (e *Engine) sweep(ctx context.Context) error {
	s := sweeping{engine: e}
	defer func() { s.end(ctx) }()
	var told time.Time
	for pause := sweepPoll; e.reading.wait(ctx) && e.giveWay(ctx); {
		now := e.now()
		users, err := e.store.DueUsers(ctx, now, now.Add(e.planned()), sweepBatch)
		if err != nil && ctx.Err() == nil {
			e.log.Error("users not read", "error", err)
		}
		run := s.of(ctx, users)
		// What fails is due again later, but not if that cannot be written down:
		// then only these pauses keep GitHub and the log from being flooded.
		if failed := e.scanDue(ctx, run, users); failed || err != nil {
			pause = min(2*pause, maxPause)
		} else if pause = sweepPoll; len(users) == sweepBatch {
			continue // There may be more.
		}
		if err == nil && len(users) == 0 && time.Since(told) >= sweepTold {
			e.log.Info("sweep on time")
			told = time.Now()
		}
		if !sleep(ctx, pause) {
			break
		}
	}
	return nil
}

// giveWay waits while GitHub's limits leave nothing to scans that nobody waits
// for, which does not hold back those that somebody waits for. It returns false
// when ctx ends.
func (e *Engine) giveWay(ctx context.Context) bool {
	for err := e.background.Ready(); err != nil; err = e.background.Ready() {
		wait := gistdeal.RetryAfter(err)
		e.log.Info("sweep waits", "remote", "GitHub", "reason", reasonOf(err), "retry_in", wait.String())
		if !sleep(ctx, wait) {
			return false
		}
	}
	return ctx.Err() == nil
}

// planned is the furthest ahead that a scan is ever planned.
func (e *Engine) planned() time.Duration { return max(2*e.options.ScanInterval, goneAtMost+goneRetry) }

// scanDue scans those of users who are still due, and reports whether any scan
// failed. That a user is gone is an outcome, which is written down.
func (e *Engine) scanDue(ctx context.Context, run *running, users []gistdeal.User) (failed bool) {
	var g errgroup.Group
	g.SetLimit(sweepScans)
	for _, u := range users {
		g.Go(func() error {
			if e.reading.left() > 0 || e.background.Ready() != nil || ctx.Err() != nil {
				return nil
			}
			err := e.scanOnce(ctx, scanning{github: e.background, sweep: run}, u.ID, e.due)
			if gistdeal.KindOf(err) == gistdeal.NotFound {
				return nil
			}
			return err
		})
	}
	return g.Wait() != nil
}

// scanOnce scans a user, or waits for the scan of the same user that is going
// on and shares its outcome. It does nothing for a user that is not needed to
// be scanned any more, because that was done since the caller looked.
func (e *Engine) scanOnce(ctx context.Context, by scanning, id int64, needed func(gistdeal.User) bool) error {
	_, err, _ := e.scans.Do(strconv.FormatInt(id, 10), func() (any, error) {
		u, err := e.store.User(ctx, id)
		if err != nil || !needed(u) {
			return nil, err
		}
		return nil, e.scan(ctx, by, u)
	})
	return err
}

// due reports whether a user's next scan is due, as DueUsers does.
func (e *Engine) due(u gistdeal.User) bool {
	now := e.now()
	if u.State == gistdeal.UserPaused {
		return false
	}
	return !u.NextScanAt.After(now) || u.NextScanAt.After(now.Add(e.planned()))
}

// neverScanned reports whether a user's first scan has not ended well yet.
func neverScanned(u gistdeal.User) bool { return u.LastScanAt.IsZero() }

// nextScan returns when a user is due after a scan that ended well: an
// interval later, give or take a tenth, so that users who were added together
// spread out.
func (e *Engine) nextScan() time.Time {
	interval := float64(e.options.ScanInterval)
	return e.now().Add(time.Duration(interval * (0.9 + 0.2*rand.Float64())))
}

// bringForward plans by the interval of now what was planned by a longer one
// before this process began to work.
func (e *Engine) bringForward(ctx context.Context) {
	n, err := e.store.BringForward(ctx, e.options.ScanInterval, e.now())
	if err != nil {
		e.log.Error("scans not brought forward", "error", err)
	} else if n > 0 {
		e.log.Info("scans brought forward", "users", n, "interval", e.options.ScanInterval.String())
	}
}

// lookUp asks GitHub who it is that is asked for, and makes that user a tracked one.
func (e *Engine) lookUp(ctx context.Context, a gistdeal.Ask) (u gistdeal.User, err error) {
	if err := e.reading.closed(); err != nil {
		return u, err
	}
	account, err := e.github.User(ctx, a.Login)
	if err != nil {
		e.hold(err)
		return u, err
	}
	e.reading.succeeded(stageGitHub)
	if err := account.CheckGists(); err != nil {
		return u, err
	}
	if erased, err := e.store.Erased(ctx, account); err != nil || erased {
		return u, cmp.Or(err, gistdeal.Errorf(gistdeal.Invalid, "%q was erased: it is tracked again only if the one who adds it asks for that (again)", account.Login))
	}
	policy, err := e.firstScan(ctx)
	if err != nil {
		return u, err
	}
	u, err = e.store.Track(ctx, account, cmp.Or(a.Policy, policy), e.now())
	if err == nil {
		e.log.Info("user tracked", "login", u.Login, "user", u.ID)
	}
	return u, err
}
