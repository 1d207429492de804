package push

import (
	"context"
	"sync"

	"gistdeal"
	"gistdeal/internal/runlog"
)

// pushRun is the run of pushes in progress: from the first POST until no deal is
// left to push, or Pipedrive refuses all of them.
type pushRun struct {
	runs      *runlog.Log
	pipedrive Pipedrive

	mu               sync.Mutex
	run              *runlog.Run // nil if none is in progress
	underWay         int         // POSTs
	requests, tokens int         // used before the run began
}

// posts counts the POSTs under way; the first one begins a run.
func (r *pushRun) posts(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay += n
	r.begin()
}

// begin begins a run unless one is in progress; r.mu is held.
func (r *pushRun) begin() {
	if r.run == nil {
		r.run = r.runs.Begin(gistdeal.RunPush, 0, nil)
		r.run.Keep()
		r.requests, r.tokens = r.pipedrive.Used()
	}
}

// note changes the numbers of the run and updates its cost.
func (r *pushRun) note(ctx context.Context, change func(*gistdeal.Run)) {
	requests, tokens := r.pipedrive.Used()
	r.mu.Lock()
	r.begin()
	run, requests, tokens := r.run, requests-r.requests, tokens-r.tokens
	r.mu.Unlock()
	run.Note(ctx, func(one *gistdeal.Run) {
		change(one)
		one.Requests, one.Tokens = max(one.Requests, requests), max(one.Tokens, tokens)
	})
}

// idle ends the run if no POST is under way: nothing is left to push.
func (r *pushRun) idle(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.underWay == 0 {
		r.run.End(ctx, nil)
		r.run = nil
	}
}

// end ends the run because err refuses all pushes.
func (r *pushRun) end(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.End(ctx, err)
	r.run = nil
}
