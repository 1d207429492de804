package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/api"
	"gistdeal/internal/engine"
	"gistdeal/internal/github"
	"gistdeal/internal/server"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// configured is the configuration of the API.
var configured = settings.Configured{
	Values: map[gistdeal.Setting]string{gistdeal.SettingBackfill: "all", gistdeal.SettingApprovalThreshold: "0", gistdeal.SettingDailyLimit: "3"},
	Locked: map[gistdeal.Setting]string{gistdeal.SettingApprovalThreshold: "GISTDEAL_APPROVAL_THRESHOLD"},
}

// world is the API behind HTTP with simulated remotes. Each answer is checked
// against the OpenAPI document.
type world struct {
	t      *testing.T
	db     *store.Store
	sim    *sim.Sim
	engine *engine.Engine
	hub    *github.Client
	url    string
	wait   time.Duration // how long a request waits for the leader; 0 means 5 s

	handler http.Handler
	doc     *openapi3.T
	router  routers.Router
}

// newWorld returns a world with a running engine.
func newWorld(t *testing.T) *world {
	t.Helper()
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	w := &world{t: t, sim: s, db: stack.Open(t)}
	w.engine, w.hub = stack.Start(t, w.db, url)
	w.serve()
	return w
}

// newIdleWorld returns a world without a leader and remotes. The function prepare
// may change the API before it serves.
func newIdleWorld(t *testing.T, prepare ...func(*api.API)) *world {
	t.Helper()
	w := &world{t: t, db: stack.Open(t)}
	w.engine = engine.New(w.db, nil, nil, engine.Options{})
	w.serve(prepare...)
	return w
}

// estimate is the API's way to estimate.
func (w *world) estimate(ctx context.Context, q estimate.Question) (estimate.Estimate, error) {
	return estimate.Make(ctx, w.hub, w.db, q, func(context.Context) (estimate.Pace, error) { return estimate.Pace{PerSecond: 10}, nil })
}

// cost is the API's way to tell the cost of deals.
func (w *world) cost(_ context.Context, deals int) (estimate.Cost, error) {
	return estimate.CostOf(deals, estimate.Pace{PerSecond: 10}), nil
}

func (w *world) serve(prepare ...func(*api.API)) {
	w.t.Helper()
	a := api.New(w.db, configured, api.Options{Version: "test", Wait: cmp.Or(w.wait, 5*time.Second), Wake: w.engine.Wake, Estimate: w.estimate, Cost: w.cost})
	for _, change := range prepare {
		change(a)
	}
	w.handler = server.New(w.db, w.engine, server.Options{API: a, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}).Handler()
	s := httptest.NewServer(w.handler)
	w.t.Cleanup(func() {
		a.Close()
		s.Close()
	})
	w.url = s.URL
	loading.Do(func() { loaded.doc, loaded.router, loaded.err = load(a) })
	testenv.Must(w.t, loaded.err)
	w.doc, w.router = loaded.doc, loaded.router
}

// loaded is the document, which is the same for each API. Loading it takes a second
// under the race detector.
var (
	loading sync.Once
	loaded  struct {
		doc    *openapi3.T
		router routers.Router
		err    error
	}
)

func load(a *api.API) (*openapi3.T, routers.Router, error) {
	text, err := a.Document()
	if err != nil {
		return nil, nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return doc, router, err
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request to the API; the body is JSON unless a header differs.
func (w *world) send(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+api.Path+path, strings.NewReader(body))
	testenv.Must(w.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	testenv.Must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testenv.Must(w.t, err)
	if strings.Contains(string(text), "secret-") {
		w.t.Errorf("the answer contains a secret: %s", text)
	}
	w.check(r, resp, text)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// check checks an answer against the document.
func (w *world) check(r *http.Request, resp *http.Response, body []byte) {
	w.t.Helper()
	if strings.HasSuffix(r.URL.Path, "/openapi.json") {
		return
	}
	plain := r.Clone(r.Context())
	plain.URL.Host, plain.URL.Scheme, plain.Host = "", "", ""
	route, params, err := w.router.FindRoute(plain)
	if err != nil {
		if resp.StatusCode < 400 {
			w.t.Errorf("%s %s is not in the document: %v", r.Method, r.URL.Path, err)
		}
		return
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: params, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		w.t.Errorf("%s %s: the answer %d violates the document: %v\n%s", r.Method, r.URL.Path, resp.StatusCode, err, body)
	}
}

// get sends a GET request and decodes a successful answer.
func (w *world) get(path string, into any) {
	w.t.Helper()
	w.read(w.send(http.MethodGet, path, ""), http.StatusOK, into)
}

func (w *world) read(r reply, status int, into any) {
	w.t.Helper()
	if r.status != status {
		w.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(r.body), into); err != nil {
			w.t.Fatalf("%v: %s", err, r.body)
		}
	}
}

// refused checks that an answer is a problem of that status and type.
func (w *world) refused(r reply, status int, kind string) {
	w.t.Helper()
	var p struct{ Type, Title, Detail, RequestID string }
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		w.t.Fatalf("%v: %s", err, r.body)
	}
	if r.status != status || r.header.Get("Content-Type") != "application/problem+json" || !strings.HasSuffix(p.Type, kind) || p.Title == "" || p.Detail == "" {
		w.t.Errorf("status %d, type %s, want %d and %s: %s", r.status, r.header.Get("Content-Type"), status, kind, r.body)
	}
}

// track tracks users and waits until all their deals are created.
func (w *world) track(gists int, logins ...string) {
	w.t.Helper()
	for _, login := range logins {
		w.sim.MakeGists(login, gists)
		testenv.Must(w.t, w.engine.Track(w.t.Context(), login))
	}
	testenv.Eventually(w.t, "all deals are created", func() bool {
		counts, err := w.db.Counts(w.t.Context())
		testenv.Must(w.t, err)
		return counts.Deals[gistdeal.DealQueued]+counts.Deals[gistdeal.DealSending] == 0
	})
}
