package engine_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gistdeal/internal/sim"
)

func TestTheTimeFromAPublicationToItsDealIsMeasuredWithoutBackfills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock, registry := newClock(), prometheus.NewRegistry()
	w.options.Now, w.options.Metrics = clock.now, registry
	w.sim.MakeGists("alice", 3)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.AddGist("alice", sim.Gist{Description: "old, but public only now", CreatedAt: time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)})
	w.sim.AddGist("alice", sim.Gist{CreatedAt: clock.now().Add(time.Hour)})
	clock.add(4 * time.Hour)
	w.eventually("both new gists", func() bool { return len(w.deals(r, "alice")) == 5 })
	w.settled(r, "alice")
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	for _, line := range []string{`bucket{le="7200"} 0`, `bucket{le="14400"} 1`, `count 1`} {
		if !strings.Contains(answer.Body.String(), "gistdeal_publication_to_deal_seconds_"+line+"\n") {
			t.Errorf("the metrics lack %s:\n%s", line, answer.Body)
		}
	}
}
