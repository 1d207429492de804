package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gistdeal"
)

const (
	maxBody   = 64 << 10 // bytes; no route beside the API's needs more
	maxList   = 1 << 20  // bytes of a list of users for the API: 10,000 and more
	maxHeader = 32 << 10
	// maxAnswers is the size of the cache of answers, in bytes.
	maxAnswers = 64 << 20
	// slowClient is how long a client may take to read an answer beyond the
	// time that the answer takes to make.
	slowClient = 60 * time.Second
)

// Store is the part of the database that the server uses.
type Store interface {
	Ping(ctx context.Context) error
	View(ctx context.Context, visitor, login string) (gistdeal.View, error)
	GistsOf(ctx context.Context, userID int64) ([]gistdeal.GistDeal, error)
	RecordVisit(ctx context.Context, v gistdeal.Visit, now time.Time) error
	Logins(ctx context.Context) ([]string, error)
	Caller(ctx context.Context, hash string) (gistdeal.Caller, error)
	UseToken(ctx context.Context, hash string, now time.Time) error
}

// Engine is the part of the engine that the server uses.
type Engine interface {
	Track(ctx context.Context, login string) error
}

// API answers requests below /api/v1/; the caller is in their context.
type API interface {
	http.Handler
	// Close ends answers that have no end of their own.
	Close()
}

// Options are the settings of a Server; the zero value works.
type Options struct {
	RequestWait time.Duration             // how long a request waits for a first scan; 0 means 25 s
	Auth        Auth                      // which requests need a token; "" means AuthAuto
	PublicURL   string                    // public origin, scheme://host; "" if it is not known
	Page        http.Handler              // answers all other paths; nil means 404
	API         API                       // answers paths below /api/v1/; nil means 404
	Details     func(context.Context) any // for /readyz, only for callers with access
	Metrics     *prometheus.Registry
	Log         *slog.Logger
}

// Server is the HTTP server.
type Server struct {
	store    Store
	engine   Engine
	options  Options
	log      *slog.Logger
	http     http.Server
	stopping atomic.Bool
	took     *prometheus.HistogramVec
	answers  answers
	clients  clients
	usage    *usage
	origins  *http.CrossOriginProtection
}

// New returns a server; Serve starts it.
func New(s Store, e Engine, o Options) *Server {
	if o.RequestWait == 0 {
		o.RequestWait = 25 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	srv := &Server{
		store: s, engine: e, options: o, log: o.Log, origins: trust(o.PublicURL),
		answers: answers{limit: maxAnswers}, clients: clients{limit: manyClients}, usage: newUsage(),
	}
	srv.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gistdeal_http_request_duration_seconds", Help: "Time to answer a request, by route and status.",
		Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 30},
	}, []string{"route", "status"})
	o.Metrics.MustRegister(srv.took)
	srv.http = http.Server{
		Handler:           srv.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      o.RequestWait + slowClient,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	if o.API != nil {
		srv.http.RegisterOnShutdown(o.API.Close)
	}
	return srv
}

// route is a line of the table of routes.
type route struct {
	pattern string
	methods []string // nil means all that handle accepts
	open    bool     // answered without a token too; other routes need the scope read
	handle  handler
}

// handler answers a request of a caller.
type handler func(w http.ResponseWriter, r *http.Request, c gistdeal.Caller)

// toAll returns the handler that answers every caller alike.
func toAll(h http.HandlerFunc) handler {
	return func(w http.ResponseWriter, r *http.Request, _ gistdeal.Caller) { h(w, r) }
}

// routes is the table of routes, all there are beside the page.
func (s *Server) routes() []route {
	metrics := promhttp.HandlerFor(s.options.Metrics, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: metricsLog{s.log},
	})
	routes := []route{
		{"/login", []string{"POST"}, true, toAll(s.login)},
		{"/logout", []string{"POST"}, true, toAll(s.logout)},
		{"/livez", []string{"GET", "HEAD"}, true, toAll(s.livez)},
		{"/readyz", []string{"GET", "HEAD"}, true, toAll(s.readyz)},
		{"/metrics", []string{"GET", "HEAD"}, false, toAll(metrics.ServeHTTP)},
	}
	routes = append(routes, s.compatRoutes()...)
	if s.options.API != nil {
		routes = append(routes, route{apiPath, nil, false, s.api})
	}
	return routes
}

// apiPath is where the API's routes are.
const apiPath = "/api/v1/"

// api hands over to the API, which has routes of its own.
func (s *Server) api(w http.ResponseWriter, r *http.Request, c gistdeal.Caller) {
	if !ownProgram(r) {
		c.Client = clientKey(r).String()
	}
	s.options.API.ServeHTTP(w, r.WithContext(gistdeal.WithCaller(r.Context(), c)))
}

// metricsLog writes the messages of promhttp as one event.
type metricsLog struct{ log *slog.Logger }

// Println logs an error of promhttp.
func (m metricsLog) Println(v ...any) {
	m.log.Error("metrics not shown whole", "error", fmt.Sprint(v...))
}

// Handler returns the handler of all requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.instrument(r.pattern, s.allow(r)))
	}
	mux.Handle("/", s.instrument("/", s.allow(route{methods: []string{"GET", "HEAD"}, open: true, handle: toAll(s.page)})))
	return s.guard(mux)
}

// Serve answers requests that come to l, until Stop. After that no token's use
// is written down any more, not even of requests under way.
func (s *Server) Serve(l net.Listener) error {
	ctx, end := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() { s.usage.write(ctx, s.store, s.log) })
	defer writing.Wait()
	defer end()
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Drain makes /readyz say that the server is about to stop, so that nothing
// new is sent here.
func (s *Server) Drain() { s.stopping.Store(true) }

// Stop takes no more connections, waits for the requests under way until ctx
// ends, and then cuts them off.
func (s *Server) Stop(ctx context.Context) error {
	s.Drain()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}
