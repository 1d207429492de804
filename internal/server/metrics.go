package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gistdeal"
)

// newDurations returns the histogram of the answers.
func newDurations() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "gistdeal_http_request_duration_seconds",
		Help:    "Time to answer a request. The route / has the page and all unknown paths, /api/v1/ all unknown paths of the API; refused are requests over a limit, or of another site's page.",
		Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 30},
	}, []string{"route", "method", "status"})
}

// routeOf returns the label of a request that was answered: the pattern of its route, so
// that the number of labels is bounded.
func (s *Server) routeOf(r *http.Request) string {
	route := r.Pattern
	if route == apiPath && s.options.API != nil {
		if inner := s.options.API.Pattern(r); inner != "" {
			route = inner
		}
	}
	if route == "" {
		return "refused" // Before it had a route.
	}
	return route[strings.Index(route, "/"):] // Without a method.
}

// methodOf returns the label of a request's method.
func methodOf(r *http.Request) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, r.Method) {
		return r.Method
	}
	return "other"
}

// readinessMetrics exports at each scrape whether this instance is ready.
type readinessMetrics struct {
	server          *Server
	ready, database *prometheus.Desc
}

func newReadinessMetrics(s *Server) readinessMetrics {
	return readinessMetrics{
		server:   s,
		ready:    prometheus.NewDesc("gistdeal_ready", "1 if /readyz answers 200.", nil, nil),
		database: prometheus.NewDesc("gistdeal_database_up", "1 if the database answers, has room and is not damaged.", nil, nil),
	}
}

// Describe sends the descriptions of all that Collect sends.
func (m readinessMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.ready
	ch <- m.database
}

// Collect asks the database.
func (m readinessMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	up, ready := 0.0, 0.0
	if m.server.store.Ping(ctx) == nil {
		up = 1
		if !m.server.stopping.Load() {
			ready = 1
		}
	}
	ch <- prometheus.MustNewConstMetric(m.database, prometheus.GaugeValue, up)
	ch <- prometheus.MustNewConstMetric(m.ready, prometheus.GaugeValue, ready)
}

// metricsHandler answers with the metrics of r. It logs a metric that cannot be read, but
// not that a client left before the end.
func metricsHandler(r *prometheus.Registry, log *slog.Logger) http.Handler {
	gather := prometheus.GathererFunc(logged(r.Gather, log))
	return promhttp.HandlerFor(gather, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// logged returns a function that gathers metrics and logs its errors. Metrics stands for a
// type of a module that is not imported.
func logged[Metrics any](gather func() (Metrics, error), log *slog.Logger) func() (Metrics, error) {
	return func() (Metrics, error) {
		all, err := gather()
		if err != nil {
			log.Error("metrics incomplete", "error", err)
		}
		return all, err
	}
}

// scrape answers with the metrics. While the database cannot be used, it accepts the
// callers that it accepted before: otherwise nobody could see that in the metrics.
func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	_, err := s.identify(r)
	if !s.scrapers.accept(s.scraper(r), err) {
		s.unidentified(w, r, err)
		return
	}
	s.metrics.ServeHTTP(w, r)
}

// scraper names the caller of a scrape: the hash of a token, Anonymous without one, or ""
// for a log-in, which is not remembered.
func (s *Server) scraper(r *http.Request) string {
	if token, sent := bearerToken(r); sent {
		return gistdeal.HashToken(token)
	}
	if _, sent := s.sessionID(r); sent {
		return ""
	}
	return gistdeal.Anonymous
}

// scrapers remembers the callers of accepted scrapes. Only valid ones get in, so there are
// few.
type scrapers struct {
	mu       sync.Mutex
	accepted map[string]bool
}

// accept reports whether a caller may scrape; err is the result of its identification. A
// refused caller is forgotten.
func (s *scrapers) accept(caller string, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, refused := titles[err]; refused {
		delete(s.accepted, caller)
	}
	if err != nil {
		return s.accepted[caller] && gistdeal.OwnFault(err)
	}
	if s.accepted == nil {
		s.accepted = map[string]bool{}
	}
	s.accepted[caller] = caller != ""
	return true
}
