package remote_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/remote"
	"gistdeal/internal/testing/testenv"
)

// limited is a server that refuses the first requests with a wait.
type limited struct {
	refusals int
	wait     string
	bodies   []string
	token    string
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	l.bodies, l.token = append(l.bodies, string(body)), r.Header.Get("Authorization")
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(`{"paused":true}`))}
	if len(l.bodies) <= l.refusals {
		resp.StatusCode, resp.Body = http.StatusTooManyRequests, io.NopCloser(strings.NewReader(`{"type":"about:blank","title":"Too many requests","detail":"slower, please"}`))
		resp.Header.Set("Retry-After", l.wait)
	}
	return resp, nil
}

func TestARequestOverTheRateLimitIsSentAgainAfterTheWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		server   limited
		took     time.Duration
		requests int
		problem  string
	}{
		{"at once", limited{}, 0, 1, ""},
		{"after two waits", limited{refusals: 2, wait: "3"}, 6 * time.Second, 3, ""},
		{"without a time", limited{refusals: 1, wait: "soon"}, time.Second, 2, ""},
		{"not after a long wait", limited{refusals: 1, wait: "60"}, 0, 1, "slower, please"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, err := remote.New(remote.Options{URL: "https://deals.example", Token: "gd_secret"})
				testenv.Must(t, err)
				r.SetTransport(&tt.server)
				begin := time.Now()
				p, err := r.PausePushes(t.Context(), "holiday", false)
				if got := time.Since(begin); got != tt.took || len(tt.server.bodies) != tt.requests {
					t.Errorf("%d requests in %v, want %d in %v", len(tt.server.bodies), got, tt.requests, tt.took)
				}
				if tt.problem == "" && (err != nil || !p.Paused) || tt.problem != "" && (err == nil || err.Error() != tt.problem) {
					t.Errorf("%+v, %v, want the problem %q", p, err, tt.problem)
				}
				for _, body := range tt.server.bodies {
					if !strings.Contains(body, "holiday") || tt.server.token != "Bearer gd_secret" {
						t.Errorf("the body is %q, with the token %q", body, tt.server.token)
					}
				}
			})
		})
	}
}
