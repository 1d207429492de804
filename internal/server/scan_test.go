package server_test

import (
	"context"
	"io"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
)

func TestASlowFirstScanIsAnsweredWith202UntilItEnds(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	engine := newSlow(db)
	w := newWorldOver(t, db, engine, server.Options{RequestWait: 300 * time.Millisecond}, nil)
	for _, ask := range []func() reply{
		func() reply { return w.ask("GET", "/user/alice") },
		func() reply { return w.ask("POST", "/user/ALICE") },
		func() reply { return w.ask("GET", "/user/alice?peek=true") },
		func() reply { return w.ask("GET", "/user/alice", "Sec-Fetch-Site: cross-site") },
	} {
		r := ask()
		w.shows(r, 202, 0, 0)
		if r.header.Get("Retry-After") == "" {
			t.Error("202 without Retry-After")
		}
	}
	post(t, db, 0, 2, 10)
	w.shows(w.ask("GET", "/user/alice"), 202, 0, 0) // An incomplete list is not shown.
	if w.visited(gistdeal.Anonymous) != 0 {
		t.Error("a 202 recorded a visit")
	}
	close(engine.end)
	r := w.ask("GET", "/user/alice")
	for r.status == 202 { // The scan may take longer than one answer waits.
		r = w.ask("GET", "/user/alice")
	}
	w.shows(r, 200, 0, 2)
	w.shows(w.ask("GET", "/user/alice"), 200, 2, 0)
}

func TestAnUnknownLoginGets503DuringAGitHubOutage(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	w := newWorldOver(t, db, answering{context.DeadlineExceeded}, server.Options{}, nil)
	r := w.ask("GET", "/user/alice")
	problem(t, r, 503)
	if r.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func TestATemporarilyFailedScanIsAnsweredWith202(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	track(t, db)
	limited := &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: 61500 * time.Millisecond, Err: io.EOF}
	w := newWorldOver(t, db, answering{limited}, server.Options{}, nil)
	r := w.ask("GET", "/user/alice")
	w.shows(r, 202, 0, 0)
	if got := r.header.Get("Retry-After"); got != "62" {
		t.Errorf("Retry-After is %q, want 62", got)
	}
}

func TestAScanThatEndsJustAfterTheWaitIsNoProblem(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	w := newWorldOver(t, db, justTooLate{t, newSlow(db)}, server.Options{}, nil)
	r := w.ask("GET", "/user/alice")
	if r.status != 202 && r.status != 200 {
		t.Errorf("got %d: %s", r.status, r.body)
	}
}

// justTooLate is an engine that ends its scan when the request times out.
type justTooLate struct {
	t *testing.T
	*slow
}

func (e justTooLate) Track(context.Context, string) error {
	fill(e.t, e.store, 1, 10)
	return context.DeadlineExceeded
}
