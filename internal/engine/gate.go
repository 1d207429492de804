package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gistdeal"
)

const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// gate holds the work with one remote back while that refuses everything. Each
// refusal in a row makes the pause longer; the first success of what was
// refused ends it. It tells the log once when it closes and once when it opens.
type gate struct {
	remote  string
	log     *slog.Logger
	changed chan struct{} // poked when the gate opens or closes

	mu       sync.Mutex
	stage    string // what was refused; "" while the gate is open
	kind     gistdeal.Kind
	spent    bool // an allowance is over, not just too much at once
	reason   string
	failures int
	until    time.Time
}

// close shuts the gate because err, which came from stage, says that going on is no use.
func (g *gate) close(stage string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pause := gistdeal.RetryAfter(err)
	if pause == 0 {
		pause = min(firstPause<<min(g.failures, 20), maxPause)
	}
	g.failures++
	g.until = time.Now().Add(pause)
	kind, spent, reason := gistdeal.KindOf(err), errors.Is(err, gistdeal.ErrSpent), reasonOf(err)
	if g.stage == "" || g.kind != kind || g.spent != spent {
		g.log.Warn("remote paused", "remote", g.remote, "kind", kind.String(), "spent", spent, "reason", reason, "retry_in", pause.String())
	}
	g.stage, g.kind, g.spent, g.reason = stage, kind, spent, reason
	poke(g.changed)
}

// reasonOf returns what the remote's client said, without on which gist or
// user: the gate speaks of all of them.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*gistdeal.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

// succeeded opens the gate if it was stage that had been refused. A success
// before the pause is over is of a request that was under way when the gate
// closed, and says nothing of the next.
func (g *gate) succeeded(stage string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stage == stage && g.over() {
		g.open()
	}
}

// idle opens the gate if its pause is over and nothing is left to try: what
// passes by itself has passed then, as far as anybody can tell.
func (g *gate) idle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kind != gistdeal.Unauthorized && g.over() {
		g.open()
	}
}

// over reports whether the gate is closed and its pause over; g.mu is held.
func (g *gate) over() bool { return g.stage != "" && !time.Now().Before(g.until) }

// cleared opens the gate if it was closed by an error of that kind, about which
// all is known by now.
func (g *gate) cleared(kind gistdeal.Kind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stage != "" && g.kind == kind {
		g.open()
	}
}

func (g *gate) open() {
	g.log.Info("remote goes on", "remote", g.remote, "after", g.reason)
	g.stage, g.reason, g.failures, g.until = "", "", 0, time.Time{}
	poke(g.changed)
}

// trying reports whether what is done next is a trial after a refusal.
func (g *gate) trying() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stage != ""
}

// wait returns true when it is time for the next trial, or at once if the gate
// is open; false when ctx ends.
func (g *gate) wait(ctx context.Context) bool {
	for {
		left := g.left()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !sleep(ctx, left) {
			return false
		}
	}
}

// left returns how long the gate stays closed.
func (g *gate) left() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.until)
}

// closed returns a Limited error that says why and for how long the gate is
// closed, or nil.
func (g *gate) closed() error {
	left := g.left()
	if left <= 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: fmt.Errorf("work with %s is paused: %s", g.remote, g.reason)}
}

// pause returns how the gate stands.
func (g *gate) pause() pause {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stage == "" {
		return pause{}
	}
	return pause{Stage: g.stage, Kind: g.kind.String(), Reason: g.reason, Until: g.until.UTC().Round(0)}
}
