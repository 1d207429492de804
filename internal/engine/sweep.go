package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gistdeal"
)

const (
	askedScans = 4           // scans at a time that somebody waits for
	sweepScans = 2           // scans at a time that nobody waits for
	sweepBatch = 100         // due users read at a time
	sweepPoll  = time.Second // how often due users are looked for
)

var (
	errStopping = gistdeal.Errorf(gistdeal.Temporary, "gistdeal is stopping; ask again when it runs")
	errReader   = gistdeal.Errorf(gistdeal.Temporary, "another gistdeal process works on this database and this one only answers about users that are tracked already; ask that one")
)

// sweep scans users when they are due, until ctx ends. After a downtime that
// is all of them, and they follow one another as fast as GitHub's limit allows.
func (e *Engine) sweep(ctx context.Context) error {
	for pause := sweepPoll; e.reading.wait(ctx) && e.giveWay(ctx); {
		now := e.now()
		users, err := e.store.DueUsers(ctx, now, now.Add(e.planned()), sweepBatch)
		if err != nil && ctx.Err() == nil {
			e.log.Error("users not read", "error", err)
		}
		// What fails is due again later, but not if that cannot be written down:
		// then only these pauses keep GitHub and the log from being flooded.
		if failed := e.scanDue(ctx, users); failed || err != nil {
			pause = min(2*pause, maxPause)
		} else if pause = sweepPoll; len(users) == sweepBatch {
			continue // There may be more.
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

// scanDue scans those of users who are still due, and reports whether any scan failed.
func (e *Engine) scanDue(ctx context.Context, users []gistdeal.User) (failed bool) {
	var g errgroup.Group
	g.SetLimit(sweepScans)
	for _, u := range users {
		g.Go(func() error {
			if e.reading.left() > 0 || e.background.Ready() != nil || ctx.Err() != nil {
				return nil
			}
			return e.scanOnce(ctx, e.background, u.ID, e.due)
		})
	}
	return g.Wait() != nil
}

// scanOnce scans a user, or waits for the scan of the same user that is going
// on and shares its outcome. It does nothing for a user that is not needed to
// be scanned any more, because that was done since the caller looked.
func (e *Engine) scanOnce(ctx context.Context, g GitHub, id int64, needed func(gistdeal.User) bool) error {
	_, err, _ := e.scans.Do(strconv.FormatInt(id, 10), func() (any, error) {
		u, err := e.store.User(ctx, id)
		if err != nil || !needed(u) {
			return nil, err
		}
		return nil, e.scan(ctx, g, u)
	})
	return err
}

// due reports whether a user's next scan is due, as DueUsers does.
func (e *Engine) due(u gistdeal.User) bool {
	now := e.now()
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

// asks are the logins whose first scan somebody waits for.
type asks struct {
	mu      sync.Mutex
	pending map[string]*ask // by login key
	queue   []*ask
	refused error // why no more are taken
	wake    chan struct{}
}

// ask is one login; err may be read once done is closed.
type ask struct {
	login string
	done  chan struct{}
	err   error
}

// Track makes login a tracked user and returns nil once its first scan has
// ended well. If ctx ends before, the scan goes on without its waiter and the
// error is ctx's. An error of kind NotFound, Invalid or Limited means what
// GitHub said; Temporary, that asking again later may help.
func (e *Engine) Track(ctx context.Context, login string) error {
	if err := gistdeal.CheckLogin(login); err != nil {
		return err
	}
	if !e.leading.Load() {
		return errReader
	}
	a, err := e.asks.join(login)
	if err != nil {
		return err
	}
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the pending ask for login, and makes it if there is none.
func (q *asks) join(login string) (*ask, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refused != nil {
		return nil, q.refused
	}
	key := gistdeal.LoginKey(login)
	if a := q.pending[key]; a != nil {
		return a, nil
	}
	a := &ask{login: login, done: make(chan struct{})}
	if q.pending == nil {
		q.pending = map[string]*ask{}
	}
	q.pending[key] = a
	q.queue = append(q.queue, a)
	poke(q.wake)
	return a, nil
}

// next takes the ask that has waited longest, nil if there is none.
func (q *asks) next() *ask {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return nil
	}
	a := q.queue[0]
	q.queue = q.queue[1:]
	return a
}

// answer ends an ask.
func (q *asks) answer(a *ask, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pending, gistdeal.LoginKey(a.login))
	a.err = err
	close(a.done)
}

// refuse answers every ask that still waits, and all that come, with err.
func (q *asks) refuse(err error) {
	q.mu.Lock()
	q.refused = err
	waiting := q.queue
	q.queue = nil
	q.mu.Unlock()
	for _, a := range waiting {
		q.answer(a, err)
	}
}

// answerAsks tracks and scans what was asked for, in the order of asking, until ctx ends.
func (e *Engine) answerAsks(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(askedScans)
	for {
		a := e.asks.next()
		if a == nil {
			if !sleepUnless(ctx, time.Hour, e.asks.wake) {
				return g.Wait()
			}
			continue
		}
		g.Go(func() error {
			err := e.track(ctx, a.login)
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				err = errStopping
			}
			e.asks.answer(a, err)
			return nil
		})
	}
}

// track looks the login up, makes it a tracked user and scans it for the first time.
func (e *Engine) track(ctx context.Context, login string) error {
	u, err := e.store.UserByLogin(ctx, login)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		u, err = e.lookUp(ctx, login)
	}
	if err != nil || !neverScanned(u) {
		return err
	}
	if err := e.reading.closed(); err != nil {
		return err
	}
	return e.scanOnce(ctx, e.github, u.ID, neverScanned)
}

// lookUp asks GitHub who login is and makes that user a tracked one.
func (e *Engine) lookUp(ctx context.Context, login string) (u gistdeal.User, err error) {
	if err := e.reading.closed(); err != nil {
		return u, err
	}
	account, err := e.github.User(ctx, login)
	if err != nil {
		e.hold(err)
		return u, err
	}
	e.reading.succeeded(stageGitHub)
	switch account.Type {
	case gistdeal.Organization:
		return u, gistdeal.Errorf(gistdeal.Invalid, "%q is an organisation on GitHub: organisations have no gists", account.Login)
	case gistdeal.Bot:
		return u, gistdeal.Errorf(gistdeal.Invalid, "%q is a bot on GitHub: bots have no gists", account.Login)
	}
	u, err = e.store.Track(ctx, account, e.options.FirstScan, e.now())
	if err == nil {
		e.log.Info("user tracked", "login", u.Login, "user", u.ID)
	}
	return u, err
}
