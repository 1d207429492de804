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
	"gistdeal/internal/testing/testenv"
)

// follow opens the stream of events and returns its lines.
func (w *world) follow(ctx context.Context, headers ...string) <-chan string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+api.Path+"/events", nil)
	testenv.Must(w.t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // The goroutine that reads the body closes it.
	testenv.Must(w.t, err)
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

// until returns the lines up to the first one that contains text.
func until(t *testing.T, lines <-chan string, text string) (read string) {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the stream ended before %q", text)
			}
			if read += line + "\n"; strings.Contains(line, text) {
				return read
			}
		case <-late:
			t.Fatalf("not within 60 s: %q", text)
		}
	}
}

func TestEventsAreSentToAllStreams(t *testing.T) {
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
	until(t, b, `"outcome":"created"`)
}

func TestTheFirstDealIsPublishedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := w.follow(ctx)
	until(t, lines, "event: ping")
	w.track(1, "alice")
	until(t, lines, `"outcome":"created"`)
}

func TestATokenIsLimitedToItsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	for _, scope := range gistdeal.Scopes {
		testenv.Must(w.t, w.db.SetToken(t.Context(), string(scope), gistdeal.HashToken(string(scope)), scope, time.Now()))
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

func TestARunRecordedAfterALaterOneIsPublishedToo(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	now := time.Now()
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, now)
	testenv.Must(w.t, err)
	_, err = w.db.SaveGists(t.Context(), 1, []gistdeal.Gist{{ID: "a1"}, {ID: "a2"}, {ID: "a3"}}, gistdeal.NewGistPolicy{}, now)
	testenv.Must(w.t, err)
	err = w.db.Scanned(t.Context(), 1, gistdeal.Listing{}, now, now.Add(time.Hour))
	testenv.Must(w.t, err)
	claims := map[string]gistdeal.Claim{}
	for range 3 {
		c, ok, err := w.db.Claim(t.Context(), "test", now, now)
		if testenv.Must(w.t, err); !ok {
			t.Fatal("no deal to claim")
		}
		claims[c.Draft.GistID] = c
	}
	lines := w.follow(t.Context())
	until(t, lines, "event: ping")
	told := map[string]int{}
	for i, end := range []struct {
		gist string
		at   time.Duration
	}{{"a2", 3 * time.Second}, {"a3", time.Second}, {"a1", 3 * time.Second}} {
		_, err := w.db.RecordCreated(t.Context(), claims[end.gist], int64(i+1), now.Add(end.at))
		testenv.Must(w.t, err)
		text := until(t, lines, end.gist)
		for gist := range claims {
			told[gist] += strings.Count(text, gist)
		}
	}
	for gist, n := range told {
		if n != 1 {
			t.Errorf("%s occurs in %d events", gist, n)
		}
	}
}

func TestAStreamSendsHeartbeats(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, func(a *api.API) { a.SetPingInterval(10 * time.Millisecond) })
	lines := w.follow(t.Context())
	for _, id := range []string{"id: 1", "id: 2", "id: 3"} {
		until(t, lines, id)
		until(t, lines, "event: ping")
	}
}

func TestTheStreamOfARevokedTokenEnds(t *testing.T) {
	t.Parallel()
	const token = "the token of the stream"
	for name, revoke := range map[string]func(w *world, logOut func()){
		"a bearer, at a ping": func(w *world, _ func()) { testenv.Must(t, w.db.RevokeToken(t.Context(), "ci", time.Now())) },
		"a bearer whose token has another value": func(w *world, _ func()) {
			testenv.Must(t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken("x"), gistdeal.ScopeRead, time.Now()))
		},
		"a log-in, with its token": func(w *world, _ func()) { testenv.Must(t, w.db.RevokeToken(t.Context(), "ci", time.Now())) },
		"a log-in, by its log-out": func(_ *world, logOut func()) { logOut() },
		"nobody, by the first token": func(w *world, _ func()) {
			testenv.Must(t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken(token), gistdeal.ScopeRead, time.Now()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newIdleWorld(t, func(a *api.API) { a.SetPingInterval(10 * time.Millisecond) })
			header, logOut := "Accept: */*", func() {}
			if !strings.HasPrefix(name, "nobody") {
				testenv.Must(t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken(token), gistdeal.ScopeRead, time.Now()))
				header = "Authorization: Bearer " + token
			}
			if strings.HasPrefix(name, "a log-in") {
				header, logOut = w.logIn(token)
			}
			lines := w.follow(t.Context(), header)
			until(t, lines, "id: 2")
			revoke(w, logOut)
			late := time.After(60 * time.Second)
			for {
				select {
				case _, ok := <-lines:
					if !ok {
						return
					}
				case <-late:
					t.Fatal("the stream goes on")
				}
			}
		})
	}
}

// logIn logs in with a token and returns the header with the cookie, and a function
// that logs out.
func (w *world) logIn(token string) (header string, logOut func()) {
	w.t.Helper()
	post := func(path, body, cookie string) http.Header {
		r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
		testenv.Must(w.t, err)
		r.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(r)
		testenv.Must(w.t, err)
		resp.Body.Close()
		return resp.Header
	}
	cookie, _, _ := strings.Cut(post("/login", `{"token":"`+token+`"}`, "").Get("Set-Cookie"), ";")
	return "Cookie: " + cookie, func() { post("/logout", "", cookie) }
}

func TestTheNumberOfStreamsPerClientIsLimited(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	testenv.Must(w.t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken("ci"), gistdeal.ScopeRead, time.Now()))
	ask := func(ctx context.Context, client string) (status int) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+api.Path+"/events", nil)
		testenv.Must(w.t, err)
		r.Header.Set("Authorization", "Bearer ci")
		if client != "" {
			r.Header.Set("X-Forwarded-For", client)
		}
		resp, err := http.DefaultClient.Do(r)
		testenv.Must(w.t, err)
		t.Cleanup(func() { resp.Body.Close() })
		return resp.StatusCode
	}
	ctx, leave := context.WithCancel(t.Context())
	for i := range api.StreamsPerClient {
		if status := ask(ctx, "192.0.2.7"); status != http.StatusOK {
			t.Fatalf("stream %d: status %d", i+1, status)
		}
	}
	forwarded := []string{"Authorization: Bearer ci", "X-Forwarded-For: 192.0.2.7"}
	refused := w.send(http.MethodGet, "/events", "", forwarded...)
	w.refused(refused, http.StatusTooManyRequests, "about:blank")
	if refused.header.Get("Retry-After") == "" || !strings.Contains(refused.body, `"request_id"`) {
		t.Errorf("%v: %s, want Retry-After and a request id", refused.header, refused.body)
	}
	w.read(w.send(http.MethodGet, "/me", "", forwarded...), http.StatusOK, nil)
	for _, other := range []string{"192.0.2.8", ""} {
		if status := ask(t.Context(), other); status != http.StatusOK {
			t.Errorf("another client %q: status %d", other, status)
		}
	}
	leave()
	testenv.Eventually(w.t, "closed streams free their places", func() bool { return ask(t.Context(), "192.0.2.7") == http.StatusOK })
}
