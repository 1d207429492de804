package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/server"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

const ciToken = "secret-ci"

// world is a server on a loopback port over a real database.
type world struct {
	t     *testing.T
	db    server.Store
	store *store.Store // the same database; nil if it is a fake
	sim   *sim.Sim     // nil if the engine is a fake
	*server.Server
	url   string
	log   *testenv.Log
	told  string     // a text that the log may contain although it looks like a secret
	ended chan error // receives the error of Serve
}

// newWorld returns a server with the real engine and the simulators.
func newWorld(t *testing.T, o server.Options) *world {
	t.Helper()
	db := stack.Open(t)
	w := &world{t: t, store: db, db: db, log: &testenv.Log{}}
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	w.sim = s
	e, _ := stack.Start(t, db, url)
	w.serve(e, o, nil)
	return w
}

// newWorldOver returns a server with the given database and engine. The function
// limits may change the http.Server before it starts.
func newWorldOver(t *testing.T, db server.Store, e server.Engine, o server.Options, limits func(*http.Server)) *world {
	t.Helper()
	w := &world{t: t, db: db, log: &testenv.Log{}}
	w.store, _ = db.(*store.Store)
	w.serve(e, o, limits)
	return w
}

// serve starts the server until the end of the test.
func (w *world) serve(e server.Engine, o server.Options, limits func(*http.Server)) {
	w.t.Helper()
	o.Log = w.log.Logger()
	w.Server = server.New(w.db, e, o)
	if limits != nil {
		limits(w.HTTP())
	}
	l := testenv.Listen(w.t)
	w.url = "http://" + l.Addr().String()
	w.ended = make(chan error, 1)
	go func() {
		w.ended <- w.Serve(l)
		close(w.ended)
	}()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			w.t.Errorf("stop: %v", err)
		}
		if err := <-w.ended; err != nil {
			w.t.Errorf("serve: %v", err)
		}
		text := w.log.String()
		if w.told != "" {
			text = strings.ReplaceAll(text, w.told, "")
		}
		w.noSecret(text)
	})
}

// reply is a complete answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request; headers are "Name: value".
func (w *world) ask(method, path string, headers ...string) reply {
	w.t.Helper()
	return w.send(w.request(w.t.Context(), method, path, nil, headers...))
}

func (w *world) request(ctx context.Context, method, path string, body io.Reader, headers ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, body)
	testenv.Must(w.t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	return r
}

func (w *world) send(r *http.Request) reply {
	w.t.Helper()
	resp, err := client.Do(r)
	testenv.Must(w.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	testenv.Must(w.t, err)
	w.noSecret(fmt.Sprint(resp.Header, string(body)))
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func (w *world) noSecret(text string) {
	w.t.Helper()
	if strings.Contains(text, "secret-") {
		w.t.Errorf("the text contains a secret: %s", text)
	}
}

// client follows no redirects, so that a test sees each answer of the server.
var client = &http.Client{
	Timeout:       60 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{DisableCompression: true},
}

// gist is a gist in an answer.
type gist struct {
	ID          string    `json:"id"`
	Username    string    `json:"username"`
	Description string    `json:"description"`
	Files       []string  `json:"files"`
	URL         string    `json:"url"`
	CreatedAt   time.Time `json:"created_at"`
	Deal        struct {
		State  string `json:"state"`
		ID     int64  `json:"id"`
		URL    string `json:"url"`
		Reason string `json:"reason"`
	} `json:"deal"`
}

// lists are the lists in an answer about a user; null and missing ones are nil.
type lists struct {
	Old []gist `json:"old_gists"`
	New []gist `json:"new_gists"`
}

// shows checks the status and the numbers of old and new gists of an answer.
func (w *world) shows(r reply, status, old, fresh int) lists {
	w.t.Helper()
	var l lists
	if err := json.Unmarshal([]byte(r.body), &l); err != nil {
		w.t.Fatalf("answer %q: %v", r.body, err)
	}
	if r.status != status || l.Old == nil || l.New == nil || len(l.Old) != old || len(l.New) != fresh {
		w.t.Errorf("got %d with %d old and %d new gists, want %d with %d and %d: %.300s", r.status, len(l.Old), len(l.New), status, old, fresh, r.body)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		w.t.Errorf("Cache-Control is %q, want no-store", got)
	}
	return l
}

// visited returns the number of the last gist of user 1 shown to a visitor.
func (w *world) visited(visitor string) int64 {
	w.t.Helper()
	u, err := w.store.User(w.t.Context(), 1)
	testenv.Must(w.t, err)
	v, err := w.store.View(w.t.Context(), visitor, u.Login)
	testenv.Must(w.t, err)
	return v.Seen
}

// stopped stops the server and waits for the requests under way.
func (w *world) stopped() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	testenv.Must(w.t, w.Stop(ctx))
}

// problem checks that an answer is a problem with that status and returns it.
func problem(t testing.TB, r reply, status int) (p struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
},
) {
	t.Helper()
	if r.status != status || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d of type %q, want problem %d: %.300s", r.status, r.header.Get("Content-Type"), status, r.body)
		return p
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("answer %q: %v", r.body, err)
	}
	if p.Status != status || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("problem %+v, want type, title, detail and status %d", p, status)
	}
	if p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		t.Errorf("request_id is %q and X-Request-Id %q, want the same", p.RequestID, r.header.Get("X-Request-Id"))
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of a problem is %q, want no-store", got)
	}
	return p
}

// call sends a request to the handler without a network, so that the peer address
// is free to choose.
func call(h http.Handler, r *http.Request) reply {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}
