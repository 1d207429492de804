package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/api"
	"gistdeal/internal/sim"
)

// follow opens the stream of events and returns its lines.
func (w *world) follow(ctx context.Context) <-chan string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+api.Path+"/events", nil)
	w.must(err)
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // By the goroutine that reads it.
	w.must(err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("status %d, %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		defer resp.Body.Close()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// until reads lines up to one that has text.
func until(t *testing.T, lines <-chan string, text string) {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the stream ended before %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Fatalf("not within 60 s: %q", text)
		}
	}
}

func TestWhatHappensIsToldToAllWhoListen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, b := w.follow(ctx), w.follow(ctx)
	until(t, a, "event: ping")
	until(t, b, "id: 1")
	gist := w.sim.AddGist("alice", sim.Gist{ID: "feed1234"})
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	until(t, a, "event: deals")
	until(t, a, gist)
	until(t, b, `"outcome":"made"`)
}

func TestTheFirstDealOfAllIsToldToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := w.follow(ctx)
	until(t, lines, "event: ping")
	w.track(1, "alice")
	until(t, lines, `"outcome":"made"`)
}

func TestATokenMayDoWhatItsScopeSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	for _, scope := range gistdeal.Scopes {
		w.must(w.db.SetToken(t.Context(), string(scope), gistdeal.HashToken(string(scope)), scope, time.Now()))
	}
	for _, tt := range []struct {
		method, path, body string
		least              gistdeal.Scope
	}{
		{"GET", "/users", "", gistdeal.ScopeRead},
		{"GET", "/overview", "", gistdeal.ScopeRead},
		{"PUT", "/users/alice/visit", `{"seq":0}`, gistdeal.ScopeRead},
		{"POST", "/users/alice/pause", "", gistdeal.ScopeWrite},
		{"POST", "/deals/retry", "{}", gistdeal.ScopeWrite},
		{"POST", "/pushes/pause", "{}", gistdeal.ScopeAdmin},
	} {
		for _, scope := range gistdeal.Scopes {
			r := w.send(tt.method, tt.path, tt.body, "Authorization: Bearer "+string(scope))
			if allowed := scope.Allows(tt.least); allowed != (r.status == http.StatusOK) {
				t.Errorf("%s %s with the scope %s: status %d: %s", tt.method, tt.path, scope, r.status, r.body)
			} else if !allowed {
				w.refused(r, http.StatusForbidden, "scope-too-small")
			}
		}
	}
	w.refused(w.send(http.MethodGet, "/users", "", "Authorization: Bearer wrong"), http.StatusUnauthorized, "about:blank")
}
