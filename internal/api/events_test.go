package api_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	return w.followQuery(ctx, "", headers...)
}

// followQuery is follow with a query.
func (w *world) followQuery(ctx context.Context, query string, headers ...string) <-chan string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+api.Path+"/events"+query, nil)
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
	until(t, b, "event: ping")
	gist := w.sim.AddGist("alice", sim.Gist{ID: "feed1234"})
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	until(t, a, "event: event")
	until(t, a, gist)
	until(t, b, `"type":"deal.created"`)
}

func TestTheFirstDealIsPublishedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := w.follow(ctx)
	until(t, lines, "event: ping")
	w.track(1, "alice")
	until(t, lines, `"type":"deal.created"`)
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

// happen causes n events of the user 1, which it tracks, and returns their ids and those before.
func (w *world) happen(n int) (ids []int64) {
	w.t.Helper()
	now := time.Now()
	_, err := w.db.Track(w.t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, now)
	testenv.Must(w.t, err)
	for i := range n {
		change := w.db.PauseUsers
		if i%2 == 1 {
			change = w.db.ResumeUsers
		}
		_, err := change(w.t.Context(), now, 1)
		testenv.Must(w.t, err)
	}
	events, err := w.db.Events(w.t.Context(), gistdeal.EventQuery{Limit: 10_000})
	testenv.Must(w.t, err)
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

// idIn returns the id in a line of a stream, 0 if it is another line.
func idIn(line string) int64 {
	text, _ := strings.CutPrefix(line, "id: ")
	id, _ := strconv.ParseInt(text, 10, 64)
	return id
}

func TestAStreamGoesOnAfterTheLastEventOfTheOneBefore(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	ids := w.happen(6)
	for name, lines := range map[string]<-chan string{
		"header":           w.follow(t.Context(), fmt.Sprintf("Last-Event-ID: %d", ids[2])),
		"query":            w.followQuery(t.Context(), fmt.Sprintf("?after=%d", ids[2])),
		"header and query": w.followQuery(t.Context(), "?after=1", fmt.Sprintf("Last-Event-ID: %d", ids[2])),
	} {
		want := []int64{ids[2], ids[3], ids[4], ids[5], ids[6]} // The first one is that of the ping.
		for _, id := range want {
			if got := idIn(strings.TrimSpace(lastLine(until(t, lines, "id: ")))); got != id {
				t.Errorf("%s: the event %d, want %d", name, got, id)
			}
		}
	}
}

// lastLine returns the last line of a text that ends with a line feed.
func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndex(text, "\n")+1:]
}

func TestAStreamHasOnlyTheEventsThatWereAskedFor(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	w.happen(2)
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 2, Login: "bob"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(t, err)
	resumed := w.followQuery(t.Context(), "?after=1&type=user.resumed")
	if text := until(t, resumed, "event: event"); strings.Contains(text, "user.paused") {
		t.Errorf("events of another type: %s", text)
	}
	until(t, resumed, "user.resumed")
	bob := w.followQuery(t.Context(), "?after=1&user=Bob")
	if text := until(t, bob, `"type"`); !strings.Contains(text, `"login":"bob"`) {
		t.Errorf("events of another user: %s", text)
	}
	w.refused(w.send(http.MethodGet, "/events?type=deal.lost", ""), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodGet, "/events?user=nobody", ""), http.StatusNotFound, "not-found")
}

func TestAReaderThatWasAwayTooLongIsToldToStartAnew(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	ids := w.happen(4)
	_, err := w.db.DeleteEvents(t.Context(), time.Now().Add(time.Hour), 3)
	testenv.Must(t, err)
	last := ids[len(ids)-1]
	for _, before := range []string{strconv.FormatInt(ids[0], 10), "x1"} {
		lines := w.follow(t.Context(), "Last-Event-ID: "+before)
		until(t, lines, "event: reset")
		until(t, lines, fmt.Sprintf(`{"last_event":%d}`, last))
	}
	r := w.send(http.MethodGet, fmt.Sprintf("/event-log?after=%d", ids[0]), "")
	w.refused(r, http.StatusGone, "gone")
	if !strings.Contains(r.body, fmt.Sprintf(`"last_event":%d`, last)) {
		t.Errorf("%s, want the last event %d", r.body, last)
	}
	var list struct {
		Events []gistdeal.Event
		After  int64
	}
	w.read(w.send(http.MethodGet, "/event-log", ""), http.StatusOK, &list)
	if len(list.Events) != 2 || list.After != last {
		t.Errorf("%+v, want the two events that are kept", list)
	}
}

func TestThreeClientsThatReconnectAtRandomGetEachEventOnce(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	began := w.happen(0)
	start := began[len(began)-1]
	const events = 60
	var all sync.WaitGroup
	got := make([]map[int64]int, 3)
	for i := range got {
		got[i] = map[int64]int{}
		random := rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for last := start; len(got[i]) <= events; {
				ctx, leave := context.WithCancel(t.Context())
				lines := w.follow(ctx, fmt.Sprintf("Last-Event-ID: %d", last))
				for n := random.IntN(12); n >= 0 && len(got[i]) <= events; n-- { // Events until the connection is lost.
					text := until(t, lines, "data: ")
					if last = idIn(text[strings.Index(text, "id: "):strings.Index(text, "\nevent")]); strings.Contains(text, "event: event") {
						got[i][last]++
					}
				}
				leave()
			}
		})
	}
	witness := w.follow(t.Context())
	until(t, witness, "event: ping")
	ids := w.happen(events)
	late := w.follow(t.Context(), fmt.Sprintf("Last-Event-ID: %d", start)) // Before most of the others know the events.
	until(t, witness, fmt.Sprintf("id: %d", ids[len(ids)-1]))              // By now, the clients that caught up before were sent all of them.
	_, err := w.db.PausePushes(t.Context(), "the last event", time.Now())
	testenv.Must(t, err)
	all.Wait()
	if n := strings.Count(until(t, late, "the last event"), "event: event"); n != events+1 {
		t.Errorf("a client that came late got %d events, want %d", n, events+1)
	}
	for i, counts := range got {
		for _, id := range ids[len(ids)-events:] {
			if counts[id] != 1 {
				t.Errorf("client %d got the event %d %d times", i, id, counts[id])
			}
		}
	}
}

func TestAPageOfEventsWaitsForOne(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	ids := w.happen(1)
	last := ids[len(ids)-1]
	type list struct {
		Events []gistdeal.Event
		After  int64
	}
	answers := make(chan list)
	go func() {
		var l list
		w.read(w.send(http.MethodGet, fmt.Sprintf("/event-log?after=%d&wait=25&type=pushes.resumed", last), ""), http.StatusOK, &l)
		answers <- l
	}()
	_, err := w.db.PausePushes(t.Context(), "", time.Now()) // Of another type.
	testenv.Must(t, err)
	_, err = w.db.ResumePushes(t.Context(), time.Now())
	testenv.Must(t, err)
	if l := <-answers; len(l.Events) != 1 || l.Events[0].Type != gistdeal.EventPushesResumed || l.After < l.Events[0].ID {
		t.Errorf("%+v, want the event that was waited for", l)
	}
	var pages []gistdeal.Event
	for after := int64(0); ; {
		var l list
		w.read(w.send(http.MethodGet, fmt.Sprintf("/event-log?after=%d&limit=2", after), ""), http.StatusOK, &l)
		if pages, after = append(pages, l.Events...), l.After; len(l.Events) == 0 {
			break
		}
	}
	if len(pages) != 4 {
		t.Errorf("the pages have %d events, want 4: %+v", len(pages), pages)
	}
}

func TestAStreamSendsHeartbeats(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, func(a *api.API) { a.SetPingInterval(10 * time.Millisecond) })
	lines := w.follow(t.Context())
	for range 3 {
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
			until(t, lines, "event: ping")
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

func TestTheDocumentListsAllTypesOfEvents(t *testing.T) {
	t.Parallel()
	var got []gistdeal.EventType
	for _, name := range newIdleWorld(t).doc.Components.Schemas["EventType"].Value.Enum {
		got = append(got, gistdeal.EventType(name.(string)))
	}
	if !slices.Equal(got, gistdeal.EventTypes) {
		t.Errorf("the document lists %v\nwant %v", got, gistdeal.EventTypes)
	}
}
