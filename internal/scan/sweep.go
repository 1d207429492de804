package scan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/probe"
	"gistdeal/internal/runlog"
)

const (
	sweepScans = 4               // background scans at a time
	sweepBatch = 100             // due users read at a time
	sweepPoll  = time.Second     // how often due users are read
	sweepLog   = 5 * time.Minute // the shortest time between two log lines that nobody is due

	// A sweep without a due user for sweepRest ends, and so does one of
	// sweepLength: many users due one after another make one run, but not forever.
	sweepRest   = time.Minute
	sweepLength = time.Hour

	sweepCount = time.Minute // between counts of all due users, of whom there may be a million

	changedRest = time.Minute // the longest time between comparisons while changed users cannot be scanned
)

// Sweep scans users when they are due, until ctx ends. After a downtime that is
// all of them, one after another as fast as GitHub's limit allows. Now and then
// it logs that no user is left: silence in the log means that scans are late, or
// that there is no leader.
func (s *Scanner) Sweep(ctx context.Context) error {
	sweep := newSweepRun(s)
	defer func() { sweep.end(ctx) }()
	defer sweep.scans.Wait()
	var logged time.Time
	for delay := sweepPoll; s.backoff.Wait(ctx) && s.giveWay(ctx); {
		users, err := s.dueUsers(ctx, sweep)
		failed := 0
		wait := time.Duration(0)
		if err == nil {
			failed, wait = sweep.scan(ctx, users)
		}
		switch {
		case err != nil:
			s.log.Error("users not read", "error", err)
			delay = min(2*delay, loop.MaxDelay)
		case wait > 0:
			delay = wait
		case failed > 0:
			delay = s.failures.delay()
			s.log.Info("sweep waits", "remote", s.failures.remote(), "reason", fmt.Sprintf("%d scans failed in a row", failed), "retry_in", delay.String())
		case len(users) >= sweepBatch:
			continue // There may be more.
		default:
			delay = sweepPoll
		}
		if err == nil && len(users) == 0 && s.background.Ready() == nil && time.Since(logged) >= sweepLog {
			s.log.Info("sweep on time")
			logged = time.Now()
		}
		if !loop.Sleep(ctx, delay) {
			break
		}
	}
	return nil
}

// giveWay waits while a person has paused scans, or GitHub's limits leave nothing to background scans;
// interactive ones go on. It returns false when ctx ends.
func (s *Scanner) giveWay(ctx context.Context) bool {
	if !loop.WaitForPerson(ctx, s.store, s.log, "sweep") {
		return false
	}
	for err := s.background.Ready(); err != nil; err = s.background.Ready() {
		wait := gistdeal.RetryAfter(err)
		if s.batches() { // Comparisons go on, with a quota of their own.
			if time.Now().After(s.waiting) {
				s.log.Info("sweep waits", "remote", "GitHub", "reason", loop.Reason(err), "retry_in", wait.String())
				s.waiting = time.Now().Add(wait)
			}
			break
		}
		s.log.Info("sweep waits", "remote", "GitHub", "reason", loop.Reason(err), "retry_in", wait.String())
		if !loop.Sleep(ctx, wait) {
			return false
		}
	}
	return ctx.Err() == nil
}

// planned is the furthest ahead that a scan is ever planned.
func (s *Scanner) planned() time.Duration { return max(2*s.options.Interval, goneAtMost+goneRetry) }

// scanOnce scans a user, or waits for a scan of the same user that is under way
// and shares its outcome. It does nothing if needed is false by now: another scan
// ended since the caller looked.
func (s *Scanner) scanOnce(ctx context.Context, by caller, id int64, needed func(gistdeal.User) bool) error {
	_, err, _ := s.scans.Do(strconv.FormatInt(id, 10), func() (any, error) {
		u, err := s.store.User(ctx, id)
		if err != nil || !needed(u) {
			return nil, err
		}
		return nil, s.scan(ctx, by, u)
	})
	return err
}

// dueSoon reports whether a user's next scan is due, by the rule of DueUsers, or so soon
// that a batch of users may have it.
func (s *Scanner) dueSoon(u gistdeal.User) bool {
	now := s.now().Add(s.ahead(u))
	if u.State == gistdeal.UserPaused {
		return false
	}
	return !u.NextScanAt.After(now) || u.NextScanAt.After(now.Add(s.planned()))
}

// neverScanned reports whether no scan of a user has succeeded yet.
func neverScanned(u gistdeal.User) bool { return u.LastScanAt.IsZero() }

// nextScan returns when a user is due after a successful scan: an interval later,
// give or take a tenth, so that users added together spread out.
func (s *Scanner) nextScan() time.Time {
	interval := float64(s.options.Interval)
	return s.now().Add(time.Duration(interval * (0.9 + 0.2*rand.Float64())))
}

// BringForward reschedules active users that were planned with a longer interval.
func (s *Scanner) BringForward(ctx context.Context) {
	n, err := s.store.BringForward(ctx, s.options.Interval, s.now())
	if err != nil {
		s.log.Error("scans not rescheduled", "error", err)
	} else if n > 0 {
		s.log.Info("scans rescheduled", "users", n, "interval", s.options.Interval.String())
	}
}

// sweepRun has the scans of a sweep and its run. A scan that takes long holds up
// neither the others nor the next batch.
type sweepRun struct {
	scanner *Scanner
	run     *runlog.Run // nil if none is in progress
	begun   time.Time
	busy    time.Time // when users were due last
	counted time.Time // when the due users were counted last

	failed int // scans that had failed in a row; 0 if these were few
	slots  chan struct{}
	scans  sync.WaitGroup
	mu     sync.Mutex
	users  map[int64]bool // being scanned
}

func newSweepRun(s *Scanner) *sweepRun {
	return &sweepRun{scanner: s, slots: make(chan struct{}, sweepScans), users: map[int64]bool{}}
}

// scan begins a scan of each of the due users in which something has changed, unless one is
// in progress. It stops early if the next scans have to wait. If that is because many scans
// failed in a row, it returns their number, else 0. wait is the time until the users can be
// compared.
func (w *sweepRun) scan(ctx context.Context, users []gistdeal.User) (failed int, wait time.Duration) {
	s, run := w.scanner, w.of(ctx, users)
	changes, wait := s.changed(ctx, run, users)
	for _, c := range changes {
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return 0, 0
		}
		if err := s.background.Ready(); err != nil || s.backoff.Left() > 0 {
			<-w.slots
			return 0, w.pause(len(users), changes, max(s.backoff.Left(), gistdeal.RetryAfter(err)))
		}
		if w.moreFailed() {
			<-w.slots
			return w.failed, 0
		}
		w.begin(ctx, run, c)
	}
	if w.moreFailed() {
		return w.failed, 0
	}
	return 0, wait
}

// moreFailed reports whether many scans failed in a row, and more than at its last call.
func (w *sweepRun) moreFailed() bool {
	n := w.scanner.failures.many()
	more := n > w.failed
	w.failed = n
	return more
}

// pause returns how long the next comparison waits because changed users can be scanned
// only after the given time: if most users have changed, it would bring the same ones.
func (w *sweepRun) pause(users int, changes []probe.Change, left time.Duration) time.Duration {
	changed := 0
	for _, c := range changes {
		if c.Probe != nil {
			changed++
		}
	}
	if changed > 0 && (changed > users/2 || users < sweepBatch) {
		return min(max(left, sweepPoll), changedRest)
	}
	return 0
}

// free returns how many further scans may begin at once.
func (w *sweepRun) free() int { return cap(w.slots) - len(w.slots) }

// scanning reports whether a scan of a user is in progress.
func (w *sweepRun) scanning(u gistdeal.User) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.users[u.ID]
}

// begin begins a scan of the user, or frees its slot if one is in progress.
func (w *sweepRun) begin(ctx context.Context, run *runlog.Run, c probe.Change) {
	id := c.User.ID
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users[id] {
		<-w.slots
		return
	}
	w.users[id] = true
	w.scans.Go(func() {
		s := w.scanner
		needed := func(u gistdeal.User) bool { return s.dueSoon(u) && u.LastScanAt.Equal(c.User.LastScanAt) }
		err := s.scanOnce(ctx, caller{github: s.background, sweep: run, change: c}, id, needed)
		if gistdeal.OwnFault(err) && ctx.Err() == nil {
			s.failures.ownFault()
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.users, id)
		<-w.slots
	})
}

// of returns the run for scans of the due users: nil if there are none.
func (w *sweepRun) of(ctx context.Context, users []gistdeal.User) *runlog.Run {
	now := time.Now()
	if w.run != nil && (now.Sub(w.busy) >= sweepRest || now.Sub(w.begun) >= sweepLength) {
		w.end(ctx)
	}
	if len(users) == 0 {
		return nil
	}
	w.busy = now
	if w.run == nil {
		w.begun, w.counted, w.run = now, time.Time{}, w.scanner.runs.Begin(gistdeal.RunSweep, 0, nil)
		w.run.Keep()
	}
	if len(users) < sweepBatch || now.Sub(w.counted) >= sweepCount {
		due := len(users)
		if due >= sweepBatch {
			due, w.counted = w.scanner.dueCount(ctx), now
		}
		w.run.Note(ctx, func(r *gistdeal.Run) { r.Total = r.Done + due })
	}
	w.run.Note(ctx, func(r *gistdeal.Run) { r.Total = max(r.Total, r.Done+len(users)) })
	return w.run
}

// end ends the run, if one is in progress.
func (w *sweepRun) end(ctx context.Context) {
	w.run.End(ctx, nil)
	w.run = nil
}

// dueCount returns how many users are due, at least a batch.
func (s *Scanner) dueCount(ctx context.Context) int {
	now := s.now()
	n, err := s.store.DueCount(ctx, now, now.Add(s.planned()))
	if err != nil {
		return sweepBatch
	}
	return max(n, sweepBatch)
}
