package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"gistdeal"
)

const (
	askedScans = 4 // asks answered at a time
	// askPoll is how often a row that another process writes is looked for: an
	// ask by the process that works, an answer by the one that asked. Within one
	// process, and where the database tells, nobody waits for it.
	askPoll = 250 * time.Millisecond
)

var errStopping = gistdeal.Errorf(gistdeal.Temporary, "gistdeal is stopping; ask again when it runs")

// asks is what a process knows of asks beyond their rows.
type asks struct {
	wake chan struct{} // an ask may wait

	mu       sync.Mutex
	busy     map[string]bool // being answered here, by login key
	answered chan struct{}   // closed with the next answer, and when another process wrote
	failures int             // in a row, of asks that nobody waits for
	rest     time.Time       // until then only asks that somebody waits for are taken
}

func newAsks() asks {
	return asks{wake: make(chan struct{}, 1), busy: map[string]bool{}, answered: make(chan struct{})}
}

// Track makes login a tracked user and returns nil once its first scan has
// ended well. If ctx ends before, the ask stays, its waiter goes, and the error
// is ctx's. An error of kind NotFound, Invalid or Limited means what GitHub
// said; Temporary, that asking again later may help.
func (e *Engine) Track(ctx context.Context, login string) error {
	_, err := e.Ask(ctx, gistdeal.Ask{Login: login, Want: gistdeal.WantFirstScan})
	return err
}

// Ask asks the process that works, which need not be this one, and waits for
// the answer. Its errors are as those of Track.
func (e *Engine) Ask(ctx context.Context, a gistdeal.Ask) (gistdeal.Answer, error) {
	if err := gistdeal.CheckLogin(a.Login); err != nil {
		return gistdeal.Answer{}, err
	}
	asked, err := e.store.Ask(ctx, e.now(), a)
	poke(e.asks.wake)
	for err == nil {
		next := e.asks.next()
		var answers map[string]gistdeal.Answer
		if answers, err = e.store.Answers(ctx, asked...); err != nil {
			break
		}
		if answer, ok := answers[gistdeal.LoginKey(a.Login)]; ok {
			return answer, answer.Err
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-e.stopping:
			err = errStopping
		case <-next:
		case <-time.After(askPoll):
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err() // SQLite has another word for it.
	}
	return gistdeal.Answer{}, err
}

// next returns what is closed with the next answer.
func (q *asks) next() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.answered
}

// answerAsks answers what was asked, here or in another process, until ctx ends.
func (e *Engine) answerAsks(ctx context.Context) error {
	var answers sync.WaitGroup
	defer answers.Wait()
	slots := semaphore.NewWeighted(askedScans)
	for pause := askPoll; slots.Acquire(ctx, 1) == nil; {
		a, ok, err := e.takeAsk(ctx)
		if ok {
			pause = askPoll
			answers.Go(func() {
				defer slots.Release(1)
				e.answer(ctx, a)
			})
			continue
		}
		slots.Release(1)
		if err != nil && ctx.Err() == nil {
			e.log.Error("asks not read", "error", err)
			pause = min(2*pause, maxPause)
		}
		sleepUnless(ctx, pause, e.asks.wake)
	}
	return nil
}

// takeAsk takes the ask whose turn it is. While GitHub refuses everything, it
// leaves those alone that nobody waits for.
func (e *Engine) takeAsk(ctx context.Context) (a gistdeal.Ask, ok bool, err error) {
	// Noted before the query: what was answered since is not among the rows.
	busy, resting := e.asks.underWay()
	least := gistdeal.WantTracked
	if resting || e.reading.left() > 0 {
		least = gistdeal.WantFirstScan
	}
	waiting, err := e.store.WaitingAsks(ctx, least, askedScans)
	for _, a := range waiting {
		if key := gistdeal.LoginKey(a.Login); !busy[key] {
			e.asks.begin(key)
			return a, true, nil
		}
	}
	return a, false, err
}

// answer does what an ask wants and writes what came of it. One that nobody
// waits for waits on if trying again later may help.
func (e *Engine) answer(ctx context.Context, a gistdeal.Ask) {
	defer e.asks.end(gistdeal.LoginKey(a.Login))
	added, err := e.track(ctx, a)
	if err != nil && ctx.Err() != nil {
		return // It is answered after the next start.
	}
	again := a.Want == gistdeal.WantTracked && passesLater(err)
	e.record(ctx, func(ctx context.Context) error {
		if again {
			return e.store.Requeue(ctx, a, err.Error(), e.now())
		}
		_, err := e.store.Answer(ctx, a, gistdeal.Answer{Added: added, Err: err}, e.now())
		return err
	})
	if a.Want == gistdeal.WantTracked {
		e.asks.slow(again)
	}
}

// passesLater reports whether err says nothing of the login that was asked for.
func passesLater(err error) bool {
	kind := gistdeal.KindOf(err)
	return err != nil && kind != gistdeal.NotFound && kind != gistdeal.Invalid
}

// underWay returns the login keys of the asks that are being answered, and
// whether those that nobody waits for have to wait.
func (q *asks) underWay() (busy map[string]bool, resting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	busy = make(map[string]bool, len(q.busy))
	for key := range q.busy {
		busy[key] = true
	}
	return busy, time.Now().Before(q.rest)
}

func (q *asks) begin(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy[key] = true
}

// end wakes whoever waits for an answer here.
func (q *asks) end(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, key)
	q.tell()
}

// heard wakes everybody here: another process may have asked, or answered.
func (q *asks) heard() {
	poke(q.wake)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tell()
}

// tell wakes whoever waits for an answer; q.mu is held.
func (q *asks) tell() {
	close(q.answered)
	q.answered = make(chan struct{})
}

// slow lets the asks that nobody waits for rest after one that has to be tried
// again, longer after each in a row.
func (q *asks) slow(again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !again {
		q.failures = 0
		return
	}
	q.rest = time.Now().Add(min(firstPause<<min(q.failures, 20), maxPause))
	q.failures++
}

// track does what an ask wants, and reports whether its user is new.
func (e *Engine) track(ctx context.Context, a gistdeal.Ask) (added bool, err error) {
	u, err := e.store.UserByLogin(ctx, a.Login)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		u, err = e.lookUp(ctx, a)
		added = err == nil
	case err == nil && neverScanned(u) && a.Policy != "" && a.Policy != u.FirstScan:
		u, err = e.store.Track(ctx, gistdeal.Account{ID: u.ID, Login: u.Login}, a.Policy, e.now())
	}
	if err != nil || a.Want == gistdeal.WantTracked {
		return added, err
	}
	if u.State == gistdeal.UserPaused {
		if a.Want == gistdeal.WantScan {
			err = gistdeal.Errorf(gistdeal.Invalid, "%q is paused: resume it first", u.Login)
		}
		return added, err
	}
	needed := neverScanned
	if a.Want == gistdeal.WantScan {
		needed = func(gistdeal.User) bool { return true }
	}
	if !needed(u) {
		return added, nil
	}
	if err := e.reading.closed(); err != nil {
		return added, err
	}
	return added, e.scanOnce(ctx, scanning{github: e.github}, u.ID, needed)
}
