package engine

import (
	"context"
	"sync"
	"time"

	"gistdeal"
)

// noteEvery is how often the numbers of a run that goes on are written down.
const noteEvery = time.Second

// running is a run that goes on. A nil one counts nothing. Runs are for people:
// one that cannot be written down holds no work up.
type running struct {
	engine *Engine
	sum    *running // of which this run is a part; nil if of none

	mu      sync.Mutex
	run     gistdeal.Run
	kept    bool
	writing bool
	long    *time.Timer // writes the run down though nothing happens in it
	noted   time.Time   // on the monotonic clock

	writes sync.Mutex // held by whoever writes the run down
}

// begin returns a new run. It is written down once it has taken a second, or
// at its end if it is to be kept.
func (e *Engine) begin(kind gistdeal.RunKind, userID int64) *running {
	now := e.now()
	r := &running{engine: e, noted: time.Now(), run: gistdeal.Run{Kind: kind, UserID: userID, Begun: now, Noted: now}}
	r.long = time.AfterFunc(noteEvery, func() { r.write(context.Background()) })
	return r
}

// note changes the numbers of a run; what they grow by, those of its sum do too.
func (r *running) note(ctx context.Context, change func(*gistdeal.Run)) {
	if r == nil {
		return
	}
	r.mu.Lock()
	before := r.run
	change(&r.run)
	grown := r.run
	r.run.Noted = r.engine.now()
	due := !r.writing && time.Since(r.noted) >= noteEvery
	r.mu.Unlock()
	r.sum.note(ctx, func(s *gistdeal.Run) {
		s.Gists += grown.Gists - before.Gists
		s.Failed += grown.Failed - before.Failed
		s.Requests += grown.Requests - before.Requests
	})
	if due {
		r.write(ctx)
	}
}

// now returns the numbers of the run.
func (r *running) now() gistdeal.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run
}

// keep has the run written down however short it is.
func (r *running) keep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = true
}

// end ends the run at its last numbers, badly if err is not nil.
func (r *running) end(ctx context.Context, err error) {
	if r == nil {
		return
	}
	r.long.Stop()
	r.mu.Lock()
	r.run.Ended = r.run.Noted
	switch {
	case err != nil && ctx.Err() != nil:
		r.run.Problem = "cut short: gistdeal stops"
	case err != nil:
		r.run.Problem = err.Error()
	}
	wanted := r.kept || r.run.ID != 0
	r.mu.Unlock()
	if wanted {
		r.write(context.WithoutCancel(ctx))
	}
}

// write writes the run down as it stands.
func (r *running) write(ctx context.Context) {
	r.writes.Lock()
	defer r.writes.Unlock()
	r.mu.Lock()
	r.writing = true
	run := r.run
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	var err error
	if run.ID == 0 {
		run.ID, err = r.engine.store.BeginRun(ctx, run)
	} else {
		err = r.engine.store.NoteRun(ctx, run)
	}
	if err != nil && ctx.Err() == nil {
		r.engine.log.Warn("run not written down", "kind", string(run.Kind), "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.ID, r.writing, r.noted = run.ID, false, time.Now()
}

// cutRuns ends what the process before this one left.
func (e *Engine) cutRuns(ctx context.Context) {
	if err := e.store.CutRuns(ctx); err != nil && ctx.Err() == nil {
		e.log.Warn("runs of before not ended", "error", err)
	}
}
