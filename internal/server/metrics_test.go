package server_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestMetricsIncludeTheDurationOfEachRoute(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(failing{})
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{Metrics: registry, API: users{}}, nil)
	w.told = errSecret.Error()
	w.ask("GET", "/livez")
	w.ask("GET", "/user/..%2F")
	w.ask("GET", "/user/alice")
	w.ask("POST", "/no/such/path")
	w.ask("BREW", "/livez")
	w.ask("TRACE", "/livez")
	w.ask("GET", "/api/v1/users/bob")
	w.ask("GET", "/api/v1/no/such/path")
	r := w.ask("GET", "/metrics")
	for _, line := range []string{
		`{method="GET",route="/livez",status="200"} 1`, `{method="other",route="/livez",status="405"} 2`,
		`{method="GET",route="/user/{login}",status="400"} 1`, `{method="GET",route="/user/{login}",status="404"} 1`,
		`{method="POST",route="/",status="405"} 1`, `{method="GET",route="/api/v1/users/{login}",status="204"} 1`,
		`{method="GET",route="/api/v1/",status="204"} 1`,
	} {
		if !strings.Contains(r.body, "gistdeal_http_request_duration_seconds_count"+line) {
			t.Errorf("the metrics lack %s:\n%s", line, r.body)
		}
	}
	if r.status != 200 || !strings.Contains(w.log.String(), errSecret.Error()) {
		t.Errorf("status %d; want the other metrics, and the unreadable one in the log:\n%s", r.status, w.log)
	}
}

// failing is a metric that cannot be read.
type failing struct{}

var desc = prometheus.NewDesc("broken", "Fails.", nil, nil)

func (failing) Describe(ch chan<- *prometheus.Desc) { ch <- desc }
func (failing) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(desc, errSecret)
}

// users is an API with one route.
type users struct{}

func (users) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
func (users) Close()                                           {}
func (users) Pattern(r *http.Request) string {
	if r.URL.Path == "/api/v1/users/bob" {
		return "GET /api/v1/users/{login}"
	}
	return ""
}

func TestRequestsOverALimitAreMeasuredUnderOneRoute(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	problem(t, w.ask("POST", "/user/alice", "Sec-Fetch-Site: cross-site"), 403)
	if r := w.ask("GET", "/metrics"); !strings.Contains(r.body, `_count{method="POST",route="refused",status="403"} 1`) {
		t.Errorf("the metrics lack the refused request:\n%s", r.body)
	}
}

func TestTheMetricsSayWhetherTheInstanceIsReadyAlsoWithoutADatabase(t *testing.T) {
	t.Parallel()
	db := &failingLater{Store: stack.Open(t)}
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	token(t, db.Store)
	want := func(ready, up int, header ...string) {
		t.Helper()
		r := w.ask("GET", "/metrics", header...)
		for name, value := range map[string]int{"gistdeal_ready": ready, "gistdeal_database_up": up} {
			if !strings.Contains(r.body, fmt.Sprintf("\n%s %d\n", name, value)) {
				t.Errorf("%s is not %d, status %d:\n%s", name, value, r.status, r.body)
			}
		}
	}
	want(1, 1, right)
	w.Drain()
	want(0, 1, right)
	db.down.Store(true)
	want(0, 0, right)
	// A token that was not accepted before, or none, stays refused.
	for _, header := range []string{wrong, "Cookie: gistdeal=abc", "X-None: 1"} {
		if r := w.ask("GET", "/metrics", header); r.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 503", header, r.status)
		}
	}
}

func TestTheMetricsAreRefusedToATokenThatWasRevoked(t *testing.T) {
	t.Parallel()
	db := &failingLater{Store: stack.Open(t)}
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	token(t, db.Store)
	want := func(status int) {
		t.Helper()
		if r := w.ask("GET", "/metrics", right); r.status != status {
			t.Errorf("status %d, want %d", r.status, status)
		}
	}
	want(http.StatusOK)
	testenv.Must(t, db.RevokeToken(t.Context(), "ci", time.Now()))
	want(http.StatusUnauthorized)
	db.down.Store(true)
	want(http.StatusServiceUnavailable)
}

func TestAScraperThatLeavesEarlyIsNotLogged(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	for i := range 40 {
		big := prometheus.NewGauge(prometheus.GaugeOpts{Name: fmt.Sprintf("big_%d", i), Help: strings.Repeat("h", 1<<20)})
		registry.MustRegister(big)
	}
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{Metrics: registry}, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://")) //nolint:noctx // Closed below.
	testenv.Must(t, err)
	_, err = fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	testenv.Must(t, err)
	_, err = conn.Read(make([]byte, 1)) // The answer has begun.
	testenv.Must(t, err)
	testenv.Must(t, conn.(*net.TCPConn).SetLinger(0))
	testenv.Must(t, conn.Close())
	testenv.Eventually(t, "the scrape has ended", func() bool {
		return strings.Contains(w.ask("GET", "/metrics").body, `_count{method="GET",route="/metrics",status="200"} `)
	})
	if n := strings.Count(w.log.String(), "level=ERROR"); n > 0 {
		t.Errorf("%d errors in the log, want none:\n%.2000s", n, w.log)
	}
}

// failingLater is a database that stops answering.
type failingLater struct {
	*store.Store
	down atomic.Bool
}

func (f *failingLater) err() error {
	if f.down.Load() {
		return &gistdeal.Error{Kind: gistdeal.Temporary, Err: gistdeal.ErrDatabase}
	}
	return nil
}

func (f *failingLater) Ping(ctx context.Context) error {
	return cmp.Or(f.err(), f.Store.Ping(ctx))
}

func (f *failingLater) HasTokens(ctx context.Context) (bool, error) {
	exist, err := f.Store.HasTokens(ctx)
	return exist, cmp.Or(f.err(), err)
}

func (f *failingLater) TokenOf(ctx context.Context, hash string, now time.Time) (gistdeal.Token, error) {
	token, err := f.Store.TokenOf(ctx, hash, now)
	return token, cmp.Or(f.err(), err)
}

func (f *failingLater) Session(ctx context.Context, hash string, now time.Time) (gistdeal.Session, error) {
	one, err := f.Store.Session(ctx, hash, now)
	return one, cmp.Or(f.err(), err)
}
