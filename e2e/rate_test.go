package e2e_test

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// pushAll starts the program with an account that allows 20 requests in two
// seconds. It waits until n gists have deals and returns the times of the POSTs.
func pushAll(t testing.TB, n int, network sim.Options, meanwhile func(*sim.Sim)) (*sim.Sim, []time.Time) {
	t.Helper()
	s, env := simulate(t, network)
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

func TestTheProgramStaysBelowTheLimitOnAnyNetwork(t *testing.T) {
	t.Parallel()
	for name, network := range map[string]sim.Options{
		"answers at once":                {},
		"answers after 150 ms":           {Latency: 150 * time.Millisecond},
		"answers after 600 ms":           {Latency: 600 * time.Millisecond},
		"requests travel up to 200 ms":   {Latency: 100 * time.Millisecond, Jitter: 200 * time.Millisecond},
		"requests travel up to a second": {Latency: 10 * time.Millisecond, Jitter: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := pushAll(t, 60, network, func(*sim.Sim) {})
			// Without a limit 50 requests are refused. The simulated network in
			// internal/pipedrive shows that none is.
			if r := s.Report(); r.Limited > 2 || len(r.Duplicated) > 0 {
				t.Errorf("%d requests refused, up to %d in 2 s; doubled: %v", r.Limited, r.PeakPer2s, r.Duplicated)
			}
		})
	}
}

func TestAHalvedLimitCausesFewRefusalsAndLosesNoDeal(t *testing.T) {
	t.Parallel()
	s, _ := pushAll(t, 60, sim.Options{Latency: 150 * time.Millisecond}, func(s *sim.Sim) {
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
	for _, network := range []sim.Options{
		{Latency: 10 * time.Millisecond},
		{Latency: 150 * time.Millisecond},
		{Latency: 600 * time.Millisecond},
		{Latency: 150 * time.Millisecond, Jitter: 100 * time.Millisecond},
		{Latency: 150 * time.Millisecond, Jitter: 200 * time.Millisecond},
		{Latency: 150 * time.Millisecond, Jitter: 300 * time.Millisecond},
	} {
		b.Run(fmt.Sprintf("answers after %v, jitter %v", network.Latency, network.Jitter), func(b *testing.B) { measureRate(b, network) })
	}
	b.Run("a backlog of 20,000 deals", measureBacklog)
	b.Run("a busy machine", func(b *testing.B) {
		var busy sync.WaitGroup
		defer busy.Wait()
		var done atomic.Bool
		defer done.Store(true)
		for range 4 * runtime.NumCPU() {
			busy.Go(func() {
				for !done.Load() {
				}
			})
		}
		measureRate(b, sim.Options{Latency: 150 * time.Millisecond})
	})
}

func measureRate(b *testing.B, network sim.Options) {
	b.Helper()
	for b.Loop() {
		s, posts := pushAll(b, 200, network, func(*sim.Sim) {})
		took := posts[len(posts)-1].Sub(posts[0])
		b.ReportMetric(float64(len(posts)-1)/took.Seconds()/10, "share")
		b.ReportMetric(float64(s.Report().Limited), "refused")
	}
}

// measureBacklog measures the first 2,000 deals of a backlog with the limit of the largest plan.
func measureBacklog(b *testing.B) {
	const backlog, measured, limit = 20_000, 2_000, 120
	s, env := simulate(b, sim.Options{Seed: 1, Latency: 10 * time.Millisecond, Burst: limit})
	s.Set(func(o *sim.Options) { o.Burst = limit })
	delete(env, "GISTDEAL_PIPEDRIVE_RATE")
	env["GISTDEAL_PUSH_TIMEOUT"], env["GISTDEAL_RESEND_AFTER"] = "5s", "10s"
	s.MakeGists("alice", backlog)
	p := start(b, env)
	for b.Loop() { // Measured once.
	}
	p.user("alice")
	posts := func() (times []time.Time) {
		for _, seen := range s.Report().RequestLog { // It has the last 10,000.
			if seen.Method == http.MethodPost && seen.Path == "/api/v2/deals" && seen.Status == http.StatusOK {
				times = append(times, seen.At)
			}
		}
		return times
	}
	poll := time.NewTicker(time.Second) // Each report lists all gists.
	defer poll.Stop()
	for len(posts()) < limit+measured {
		select {
		case <-poll.C:
		case <-p.ended:
			b.Fatalf("the program ended\n%s", p.out)
		}
	}
	times := posts()[limit:] // The first answers tell the limit.
	took := times[measured-1].Sub(times[0])
	b.ReportMetric((measured-1)/took.Seconds()/(limit/2), "share")
	b.ReportMetric(float64(s.Report().Limited), "refused")
}
