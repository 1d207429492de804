package runlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gistdeal"
)

const (
	// writeEvery is how often the numbers of a run in progress are written.
	writeEvery = time.Second
	// writeTimeout bounds one write.
	writeTimeout = 5 * time.Second
)

// Store keeps runs.
type Store interface {
	StartRun(ctx context.Context, r gistdeal.Run) (int64, error)
	UpdateRun(ctx context.Context, r gistdeal.Run) error
}

// Log begins runs.
type Log struct {
	store Store
	log   *slog.Logger
	now   func() time.Time
}

// New returns a log of runs; now is the clock of their times.
func New(s Store, log *slog.Logger, now func() time.Time) *Log {
	return &Log{store: s, log: log, now: now}
}

// Run is a run in progress. A nil one counts nothing. Its numbers may be changed
// from many goroutines; End comes last.
type Run struct {
	log *Log
	sum *Run // that this run is a part of; nil for none

	mu   sync.Mutex
	run  gistdeal.Run
	keep bool

	late   *time.Timer   // writes a run in which nothing happens
	fired  chan struct{} // closed after that write
	writes sync.Mutex    // held during a write
	wrote  time.Time     // on the monotonic clock; guarded by mu
	busy   bool          // a write is under way; guarded by mu
}

// Begin begins a run. It is written once it has taken a second, or at its end if
// Keep was called. The growth of its numbers is added to sum, which may be nil.
func (l *Log) Begin(kind gistdeal.RunKind, userID int64, sum *Run) *Run {
	now := l.now()
	r := &Run{
		log: l, sum: sum, wrote: time.Now(), fired: make(chan struct{}),
		run: gistdeal.Run{Kind: kind, UserID: userID, StartedAt: now, UpdatedAt: now},
	}
	r.late = time.AfterFunc(writeEvery, func() {
		defer close(r.fired)
		r.write(context.Background())
	})
	return r
}

// Note changes the numbers of the run.
func (r *Run) Note(ctx context.Context, change func(*gistdeal.Run)) {
	if r == nil {
		return
	}
	r.mu.Lock()
	before := r.run
	change(&r.run)
	after := r.run
	r.run.UpdatedAt = r.log.now()
	due := !r.busy && time.Since(r.wrote) >= writeEvery
	r.mu.Unlock()
	r.sum.Note(ctx, func(s *gistdeal.Run) {
		s.Gists += after.Gists - before.Gists
		s.Failed += after.Failed - before.Failed
		s.Requests += after.Requests - before.Requests
	})
	if due {
		r.write(ctx)
	}
}

// Numbers returns the run as it is now.
func (r *Run) Numbers() gistdeal.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run
}

// Keep makes End write the run however short it was.
func (r *Run) Keep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep = true
}

// End ends the run with its last numbers, as failed if err is not nil. It returns
// once nothing writes the run any more.
func (r *Run) End(ctx context.Context, err error) {
	if r == nil {
		return
	}
	if !r.late.Stop() {
		<-r.fired // The write under way decides whether the run has a row to end.
	}
	r.mu.Lock()
	r.run.Ended = r.run.UpdatedAt
	switch {
	case err != nil && ctx.Err() != nil:
		r.run.Problem = "interrupted: gistdeal is stopping"
	case err != nil:
		r.run.Problem = err.Error()
	}
	write := r.keep || r.run.ID != 0
	r.mu.Unlock()
	if write {
		r.write(ctx)
	}
}

// write writes the run as it is now. The end of ctx does not cut it short: it would
// be unknown whether the run has a row.
func (r *Run) write(ctx context.Context) {
	r.writes.Lock()
	defer r.writes.Unlock()
	r.mu.Lock()
	r.busy = true
	run := r.run
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	var err error
	if run.ID == 0 {
		run.ID, err = r.log.store.StartRun(ctx, run)
	} else {
		err = r.log.store.UpdateRun(ctx, run)
	}
	if err != nil {
		r.log.log.Warn("run not recorded", "kind", string(run.Kind), "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.ID, r.busy, r.wrote = run.ID, false, time.Now()
}
