package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// pushAll starts the program with an account that allows 20 requests in two
// seconds and answers after the latency. It waits until n gists have deals and
// returns the times of the POSTs.
func pushAll(t testing.TB, n int, latency time.Duration, meanwhile func(*sim.Sim)) (*sim.Sim, []time.Time) {
	t.Helper()
	s, env := simulate(t, sim.Options{Latency: latency})
	s.Set(func(o *sim.Options) { o.Burst = 20 })
	delete(env, "GISTDEAL_PIPEDRIVE_RATE")
	env["GISTDEAL_PUSH_TIMEOUT"], env["GISTDEAL_RESEND_AFTER"] = "5s", "10s"
	s.MakeGists("alice", n)
	p := start(t, env)
	p.user("alice")
	meanwhile(s)
	testenv.Eventually(t, "each gist has a deal", func() bool { return len(s.Report().WithoutDeal) == 0 }, p.out)
	var posts []time.Time
	for _, seen := range s.Report().RequestLog {
		if seen.Method == http.MethodPost && seen.Path == "/api/v2/deals" && seen.Status == http.StatusOK {
			posts = append(posts, seen.At)
		}
	}
	return s, posts
}

func TestTheProgramStaysBelowTheLimitAtAnyLatency(t *testing.T) {
	t.Parallel()
	for name, latency := range map[string]time.Duration{"soon": 0, "150 ms": 150 * time.Millisecond, "600 ms": 600 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := pushAll(t, 60, latency, func(*sim.Sim) {})
			// On a busy machine a request may be delayed into the next window. Without
			// a limit 50 requests are refused.
			if r := s.Report(); r.Limited > 2 || len(r.Duplicated) > 0 {
				t.Errorf("%d requests refused, up to %d in 2 s; doubled: %v", r.Limited, r.PeakPer2s, r.Duplicated)
			}
		})
	}
}

func TestAHalvedLimitCausesFewRefusalsAndLosesNoDeal(t *testing.T) {
	t.Parallel()
	const latency = 150 * time.Millisecond
	s, _ := pushAll(t, 60, latency, func(s *sim.Sim) {
		s.Set(func(o *sim.Options) { o.Burst = 10 })
	})
	// The requests under way when the limit fell, and a few more.
	if r := s.Report(); r.Limited > 6 || len(r.Duplicated) > 0 {
		t.Errorf("%d requests refused, doubled: %v", r.Limited, r.Duplicated)
	}
}

// BenchmarkAllowedRate measures the share of the allowed 10 requests a second
// that creates deals.
func BenchmarkAllowedRate(b *testing.B) {
	for _, latency := range []time.Duration{10 * time.Millisecond, 150 * time.Millisecond, 600 * time.Millisecond} {
		b.Run(latency.String(), func(b *testing.B) {
			for b.Loop() {
				s, posts := pushAll(b, 200, latency, func(*sim.Sim) {})
				took := posts[len(posts)-1].Sub(posts[0])
				b.ReportMetric(float64(len(posts)-1)/took.Seconds()/10, "share")
				b.ReportMetric(float64(s.Report().Limited), "refused")
			}
		})
	}
}
