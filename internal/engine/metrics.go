package engine

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics counts what the engine did.
type metrics struct {
	pushes   *prometheus.CounterVec
	scans    *prometheus.CounterVec
	requests prometheus.Counter
	looks    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	return &metrics{
		pushes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_pushes_total",
			Help: "Attempts to make a deal, by outcome.",
		}, []string{"outcome"}),
		scans: f.NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_scans_total",
			Help: "Scans of a user, by outcome.",
		}, []string{"outcome"}),
		requests: f.NewCounter(prometheus.CounterOpts{
			Name: "gistdeal_scan_requests_total",
			Help: "Requests to GitHub that scans took.",
		}),
		looks: f.NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_looks_total",
			Help: "Looks at Pipedrive for attempts of unknown outcome, by outcome.",
		}, []string{"outcome"}),
	}
}

// watch shows the gates and the lease; it is called once, when the engine is made.
func (e *Engine) watch(r prometheus.Registerer) {
	f := promauto.With(r)
	gauge := func(name, help string, on func() bool) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if on() {
				return 1
			}
			return 0
		})
	}
	gauge("gistdeal_working", "1 while this process holds the lease.", e.leading.Load)
	gauge("gistdeal_pushes_paused", "1 while Pipedrive refuses everything.", e.pushing.trying)
	gauge("gistdeal_github_paused", "1 while GitHub refuses everything.", func() bool { return e.reading.trying() || e.github.Ready() != nil })
}
