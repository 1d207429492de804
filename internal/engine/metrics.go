package engine

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// watch registers the gauges of the lease and the backoffs.
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
	gauge("gistdeal_leader", "1 while this process holds the lease.", e.leading.Load)
	gauge("gistdeal_pipedrive_backoff", "1 while Pipedrive refuses all requests.", e.pushBackoff.Active)
	gauge("gistdeal_database_backoff", "1 while pushes wait after a fault of gistdeal or of its database.", e.faults.Active)
	gauge("gistdeal_github_backoff", "1 while GitHub refuses all requests.", func() bool {
		return e.gitHubBackoff.Active() || e.github.Ready() != nil
	})
}
