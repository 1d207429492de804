package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

const deals = "/api/v2/deals"

func TestFaultsFailBeforeOrAfterTheEffect(t *testing.T) {
	t.Parallel()
	for kind, done := range map[string]int{
		"error-before": 0, "drop-before": 0, "html403": 0, "limit": 0, "spent": 0, "unauthorized": 0, "payment": 0,
		"cap": 0, "forbidden": 0, "redirect": 0, "invalid": 0, "answer": 0,
		"error-after": 1, "drop-after": 1, "truncate": 1, "slow": 1, "latency": 1,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := start(t, sim.Options{})
			w.AddFault(sim.Fault{Match: "POST " + deals, Kind: kind, Times: 1})
			g, err := w.send(t.Context(), http.MethodPost, deals, title(1))
			var body map[string]any
			healthy := err == nil && g.status == http.StatusOK && json.Unmarshal([]byte(g.text), &body) == nil
			if late := kind == "slow" || kind == "latency"; healthy != late {
				t.Errorf("response %d %q, %v", g.status, g.text, err)
			}
			if n := w.Report().Deals; n != done {
				t.Errorf("%d deals, want %d", n, done)
			}
			want(t, w.do(http.MethodPost, deals, title(2)), http.StatusOK)
		})
	}
}

func TestFaultResponsesMatchTheRealServices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, kind string
		status     int
		texts      []string
		header     []string
	}{
		{deals, "html403", 403, []string{"This error is produced by Cloudflare"}, []string{"Content-Type", "text/html; charset=UTF-8"}},
		{deals, "limit", 429, nil, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "2"}},
		{deals, "spent", 429, nil, []string{"X-Daily-RateLimit-Token-Remaining", "0", "X-RateLimit-Remaining", "19"}},
		{deals, "unauthorized", 401, []string{"unauthorized access"}, []string{"X-401-By-Gw", "true"}},
		{deals, "payment", 402, []string{"not open"}, nil},
		{deals, "cap", 403, []string{`"code":"feature_capping_deals_limit"`}, nil},
		{deals, "forbidden", 403, []string{`"success":false`}, nil},
		{deals, "invalid", 400, []string{"ERR_SCHEMA_VALIDATION_FAILED"}, nil},
		{deals, "redirect", 302, nil, []string{"Location", "https://elsewhere.invalid/"}},
		{"/users/octocat", "limit", 403, []string{"secondary rate limit", "secondary-rate-limits"}, []string{"Retry-After", "60", "X-RateLimit-Remaining", "60"}},
		{"/users/octocat", "gh-primary", 403, []string{"API rate limit exceeded"}, []string{"X-RateLimit-Remaining", "0"}},
		{"/users/octocat", "unauthorized", 401, []string{"Bad credentials"}, nil},
		{"/users/octocat", "error-before", 500, []string{"Server Error"}, nil},
		{"/users/octocat", "error-after", 502, []string{"Server Error"}, nil},
	} {
		t.Run(c.kind+" "+c.path, func(t *testing.T) {
			t.Parallel()
			w := start(t, sim.Options{})
			w.AddUser(sim.User{Login: "octocat"})
			w.AddFault(sim.Fault{Kind: c.kind})
			g := w.get(c.path)
			want(t, g, c.status, c.texts...)
			wantHeader(t, g, c.header...)
		})
	}
	w := start(t, sim.Options{})
	w.AddFault(sim.Fault{Kind: "answer", Status: 418, Body: "tea", ContentType: "text/plain", Header: map[string]string{"Retry-After": "7"}})
	g := w.get(deals)
	want(t, g, 418, "tea")
	wantHeader(t, g, "Content-Type", "text/plain", "Retry-After", "7")
	w.ClearFaults()
	w.AddFault(sim.Fault{Kind: "limit", Header: map[string]string{"Retry-After": ""}})
	g = w.get("/users/octocat")
	want(t, g, 403, "secondary rate limit")
	wantHeader(t, g, "Retry-After", "")
}

func TestResponsesAreTruncatedInBothWays(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Burst: -1})
	w.AddFault(sim.Fault{Kind: "truncate"})
	cut, short := 0, 0
	for range 30 {
		g, err := w.send(t.Context(), http.MethodGet, "/v1/users/me", "")
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF) && !strings.HasSuffix(g.text, "}}"):
			cut++
		case err == nil && g.status == http.StatusOK && strings.HasPrefix(g.text, "{") && !strings.HasSuffix(g.text, "}}"):
			short++
		default:
			t.Fatalf("response %d %q, %v", g.status, g.text, err)
		}
	}
	if cut == 0 || short == 0 {
		t.Errorf("%d connections were cut, %d responses were short, want both", cut, short)
	}
}

func TestHangingRequestsEndWithTheirClientOrWithClose(t *testing.T) {
	t.Parallel()
	for kind, done := range map[string]int{"hang-before": 0, "hang-after": 1} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := start(t, sim.Options{})
			w.AddFault(sim.Fault{Kind: kind})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := w.send(ctx, http.MethodPost, deals, title(1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the deadline of the client", err)
			}
			if n := w.Report().Deals; n != done {
				t.Errorf("%d deals, want %d", n, done)
			}
			w.Close()
			if _, err := w.send(t.Context(), http.MethodPost, deals, title(2)); err == nil {
				t.Error("got a response after Close, want a closed connection")
			}
		})
	}
}

func TestADelayedRequestTakesEffectAfterTheClientGaveUp(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.AddFault(sim.Fault{Match: "POST " + deals, Kind: "latency", Latency: 150 * time.Millisecond})
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := w.send(ctx, http.MethodPost, deals, title(1)); err == nil {
		t.Fatal("got a response in time, want a timeout")
	}
	if n := w.Report().Deals; n != 0 {
		t.Errorf("%d deals during the wait", n)
	}
	for w.Report().Deals == 0 {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("the deal was never created")
		}
		w.get("/v1/users/me")
	}
	if elapsed := time.Since(begin); elapsed < 150*time.Millisecond {
		t.Errorf("created after %s, when the client disconnected", elapsed)
	}
}

func TestFaultsSelectRequestsByCount(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 5, Burst: -1})
	w.AddFault(sim.Fault{Match: "GET /api/v2/", Kind: "error-before", After: 2, Times: 2})
	var got []int
	for range 6 {
		got = append(got, w.get(deals).status/100)
		want(t, w.do(http.MethodPost, deals, title(1)), http.StatusOK)
		want(t, w.get("/v1/users/me"), http.StatusOK)
	}
	if text, _ := json.Marshal(got); string(text) != "[2,2,5,5,2,2]" {
		t.Errorf("statuses %s", text)
	}
	w.AddFault(sim.Fault{Match: "GET " + deals, Kind: "error-before", After: 1, Every: 3, Times: 2})
	got = nil
	for range 9 {
		got = append(got, w.get(deals).status/100)
	}
	if text, _ := json.Marshal(got); string(text) != "[2,2,2,5,2,2,5,2,2]" {
		t.Errorf("every third after the first: statuses %s", text)
	}
	w.AddFault(sim.Fault{Kind: "error-before", Share: 0.3})
	hits := 0
	for range 200 {
		if w.get(deals).status == http.StatusInternalServerError {
			hits++
		}
	}
	if hits < 30 || hits > 90 {
		t.Errorf("a fault with a share of 0.3 applied to %d of 200 requests", hits)
	}
	w.ClearFaults()
	want(t, w.get(deals), http.StatusOK)
}

func TestFaultsDoNotApplyToRefusedRequests(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Token: "key"})
	w.AddFault(sim.Fault{Kind: "error-after", Times: 1})
	want(t, w.get(deals, "X-Api-Token", "wrong"), http.StatusUnauthorized)
	want(t, w.get(deals), http.StatusBadGateway)
	want(t, w.get(deals), http.StatusOK)
}

func TestAFaultReplacesHeadersAlsoTheDate(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	const date = "Sun, 23 Nov 2025 10:00:00 GMT"
	w.AddFault(sim.Fault{Match: "GET " + deals, Kind: "slow", Header: map[string]string{"Date": date}, Times: 1})
	w.AddFault(sim.Fault{Match: "GET " + deals, Kind: "error-before", Header: map[string]string{"Date": date}, Times: 1})
	w.AddFault(sim.Fault{Match: "GET " + deals, Kind: "slow", Header: map[string]string{"Date": "", "Content-Type": ""}, Times: 1})
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		g := w.get(deals)
		want(t, g, status)
		wantHeader(t, g, "Date", date)
	}
	g := w.get(deals)
	want(t, g, http.StatusOK, `"data":[]`)
	wantHeader(t, g, "Date", "", "Content-Type", "")
	if g := w.get(deals); g.header.Get("Date") == "" {
		t.Error("an ordinary answer has no date")
	}
}
