package sim_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/sim"
)

func TestRequestsCountWhenTheyArriveAndMayOvertakeEachOther(t *testing.T) {
	t.Parallel()
	const jitter = time.Second
	arrivals := func(seed uint64) (delays []time.Duration) {
		synctest.Test(t, func(*testing.T) {
			s := sim.New(sim.Options{Seed: seed, Burst: -1, Jitter: jitter})
			begun := time.Now()
			var requests sync.WaitGroup
			for range 20 {
				requests.Go(func() { s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/users/me", nil)) })
				synctest.Wait() // The order of sending decides the delays.
			}
			requests.Wait()
			for _, seen := range s.Report().RequestLog {
				delays = append(delays, seen.At.Sub(begun))
			}
		})
		return delays
	}
	first := arrivals(1)
	if len(first) != 20 || first[0] == first[19] || first[19] > jitter {
		t.Errorf("arrivals after %v, want 20 different ones up to %v", first, jitter)
	}
	if second := arrivals(1); !slices.Equal(first, second) {
		t.Errorf("the same seed gives\n%v and\n%v", first, second)
	}
	if other := arrivals(2); slices.Equal(first, other) {
		t.Error("another seed gives the same delays")
	}
}

func TestTheJitterIsAKnobAndLeavesGitHubAlone(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"jitter":"1000h"}`), http.StatusOK)
	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"jitter":"soon"}`), http.StatusBadRequest)
	want(t, w.get("/rate_limit"), http.StatusOK)
}
