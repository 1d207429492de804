package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
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

func TestAVisitOfAUserThatAQueryTookInWaitsForItsRawURLs(t *testing.T) {
	t.Parallel()
	const fallback, own = "https://gist.githubusercontent.com/alice/a1/raw/notes.md", "https://gist.githubusercontent.com/alice/a1/raw/0123/notes.md"
	// taken returns a database with a user without raw URLs.
	taken := func(t *testing.T) *store.Store {
		t.Helper()
		db := stack.Open(t)
		token(t, db)
		testenv.Must(t, db.SetToken(t.Context(), "reader", gistdeal.HashToken("secret-reader"), "read", time.Now()))
		g := gistdeal.Gist{ID: "a1", CreatedAt: time.Now(), UpdatedAt: time.Now(), Files: []gistdeal.File{{Name: "notes.md"}}}
		p := gistdeal.Probe{Account: gistdeal.Account{ID: 1, Login: "alice", PublicGists: 1}, Gists: []gistdeal.Gist{g}, Complete: true}
		_, err := db.TrackProbed(t.Context(), p, gistdeal.BackfillAll, gistdeal.FirstScan{Next: time.Now().Add(time.Hour)}, time.Now())
		testenv.Must(t, err)
		return db
	}
	for name, c := range map[string]struct {
		path, token string
		err         error // of the scan
		want        string
		scans       int
	}{
		"a visit":                    {"/user/alice", ciToken, nil, own, 1},
		"the scan fails":             {"/user/alice", ciToken, gistdeal.Errorf(gistdeal.Limited, "later"), fallback, 1},
		"the scan takes too long":    {"/user/alice", ciToken, context.DeadlineExceeded, fallback, 1},
		"a peek":                     {"/user/alice?peek=true", ciToken, nil, fallback, 0},
		"a token that may only read": {"/user/alice", "secret-reader", nil, fallback, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := taken(t)
			e := &linking{db: db, err: c.err, raw: own}
			w := newWorldOver(t, db, e, server.Options{RequestWait: time.Second}, nil)
			for range 2 {
				r := w.ask("GET", c.path, "Authorization: Bearer "+c.token)
				if r.status != http.StatusOK || !strings.Contains(r.body, `"files":["`+c.want+`"]`) {
					t.Errorf("%d %s, want %s", r.status, r.body, c.want)
				}
				if c.err != nil {
					break
				}
			}
			if n := int(e.scans.Load()); n != c.scans {
				t.Errorf("%d scans, want %d", n, c.scans)
			}
		})
	}
}

// linking is an engine whose scan of user 1 stores the raw URL of its file, unless it fails.
type linking struct {
	db    *store.Store
	err   error
	raw   string
	scans atomic.Int64
}

func (e *linking) Track(ctx context.Context, _ string) error {
	e.scans.Add(1)
	if e.err != nil {
		return e.err
	}
	g := gistdeal.Gist{ID: "a1", CreatedAt: time.Now(), UpdatedAt: time.Now(), Files: []gistdeal.File{{Name: "notes.md", RawURL: e.raw}}}
	if _, err := e.db.SaveGists(ctx, 1, []gistdeal.Gist{g}, gistdeal.NewGistPolicy{}, time.Now()); err != nil {
		return err
	}
	return e.db.Scanned(ctx, 1, gistdeal.Listing{Pages: 1}, time.Now(), time.Now().Add(time.Hour))
}
