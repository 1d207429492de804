package engine

import (
	"context"
	"sync"
	"time"

	"gistdeal"
)

// sweepRest without a user who is due ends a sweep, and so does its length:
// many users who are due one after another shall make one run, but not for ever.
const (
	sweepRest   = time.Minute
	sweepLength = time.Hour
)

// sweeping is where a sweep's run is kept between its batches.
type sweeping struct {
	engine *Engine
	run    *running // nil while none goes on
	begun  time.Time
	busy   time.Time // when users were due last
}

// of returns the run that users, who are due, are scanned in: nil if there are none.
func (s *sweeping) of(ctx context.Context, users []gistdeal.User) *running {
	now := time.Now()
	if s.run != nil && (now.Sub(s.busy) >= sweepRest || now.Sub(s.begun) >= sweepLength) {
		s.end(ctx)
	}
	if len(users) == 0 {
		return nil
	}
	s.busy = now
	if s.run == nil {
		s.begun, s.run = now, s.engine.begin(gistdeal.RunSweep, 0)
		s.run.keep()
	}
	due := len(users)
	if due == sweepBatch {
		due = s.engine.dueCount(ctx)
	}
	s.run.note(ctx, func(r *gistdeal.Run) { r.Total = r.Done + due })
	return s.run
}

// end ends the run, if one goes on.
func (s *sweeping) end(ctx context.Context) {
	s.run.end(ctx, nil)
	s.run = nil
}

// dueCount returns how many users are due, as far as it can be told.
func (e *Engine) dueCount(ctx context.Context) int {
	now := e.now()
	n, err := e.store.DueCount(ctx, now, now.Add(e.planned()))
	if err != nil {
		return sweepBatch
	}
	return max(n, sweepBatch)
}

// round is the run of pushes that goes on.
type round struct {
	engine *Engine

	mu               sync.Mutex
	run              *running // nil while none goes on
	underWay         int
	requests, tokens int // that the client had used when the run began
}

// begun counts the POSTs that are under way, and begins a run with the first.
func (r *round) begun(posts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay += posts
	r.start()
}

// start begins a run unless one goes on; r.mu is held.
func (r *round) start() {
	if r.run == nil {
		r.run = r.engine.begin(gistdeal.RunPush, 0)
		r.run.keep()
		r.requests, r.tokens = r.engine.pipedrive.Used()
	}
}

// note changes the numbers of the run and brings what it cost up to date.
func (r *round) note(ctx context.Context, change func(*gistdeal.Run)) {
	requests, tokens := r.engine.pipedrive.Used()
	r.mu.Lock()
	r.start()
	run, requests, tokens := r.run, requests-r.requests, tokens-r.tokens
	r.mu.Unlock()
	run.note(ctx, func(one *gistdeal.Run) {
		change(one)
		one.Requests, one.Tokens = max(one.Requests, requests), max(one.Tokens, tokens)
	})
}

// idle ends the run: nothing is left to push.
func (r *round) idle(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.underWay == 0 {
		r.run.end(ctx, nil)
		r.run = nil
	}
}

// end ends the run because of err, which refuses all pushes.
func (r *round) end(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.end(ctx, err)
	r.run = nil
}
