package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"gistdeal"
	"gistdeal/internal/signin"
	"gistdeal/internal/trace"
)

const (
	maxBody   = 64 << 10 // bytes, for all routes except the API
	maxList   = 1 << 20  // bytes, for the API: a list of 10,000 users fits
	maxHeader = 32 << 10 // bytes
	// maxAnswers is the size of the cache of answers in bytes.
	maxAnswers = 64 << 20
	// readAnswer is the time that a client has to read an answer, after the longest
	// wait for a first scan.
	readAnswer = 60 * time.Second
)

// Store is the part of the database that the server uses.
type Store interface {
	Ping(ctx context.Context) error
	View(ctx context.Context, visitor, login string) (gistdeal.View, error)
	GistsOf(ctx context.Context, userID int64) ([]gistdeal.GistDeal, error)
	RecordVisit(ctx context.Context, v gistdeal.Visit, now time.Time) error
	Logins(ctx context.Context) ([]string, error)
	TokenOf(ctx context.Context, hash string, now time.Time) (gistdeal.Token, error)
	UseToken(ctx context.Context, hash, client string, now time.Time) error
	HasTokens(ctx context.Context) (bool, error)
	SignedIn(ctx context.Context, p gistdeal.Person, now time.Time) (gistdeal.Person, error)
	AddSession(ctx context.Context, hash string, one gistdeal.Session, now time.Time) error
	Session(ctx context.Context, hash string, now time.Time) (gistdeal.Session, error)
	EndSession(ctx context.Context, hash string, now time.Time) error
	EndSessionsOf(ctx context.Context, p gistdeal.Person) error
	RecordFailedLogIn(ctx context.Context, reason string, now time.Time) error
}

// Engine is the part of the engine that the server uses.
type Engine interface {
	Track(ctx context.Context, login string) error
}

// API serves requests below /api/v1/. Their context holds the caller; see
// gistdeal.WithCaller.
type API interface {
	http.Handler
	// Pattern returns the pattern of the route of r, "" if there is none.
	Pattern(r *http.Request) string
	// Close ends all event streams.
	Close()
}

// Options configure a Server; the zero value is usable.
type Options struct {
	RequestWait    time.Duration             // how long a request waits for a first scan; 0 means 25 s
	Auth           Auth                      // which requests need a token; "" means AuthAuto
	PublicURL      string                    // the address of the server for browsers, scheme://host; "" if unknown
	TrustedProxies []netip.Prefix            // forwarding headers of other peers are ignored
	SignIn         *signin.Provider          // at an OpenID Connect provider; nil means with tokens only
	SignInAge      time.Duration             // the lifetime of a log-in of SignIn
	Page           http.Handler              // serves all paths without a route; nil means 404
	API            API                       // serves paths below /api/v1/; nil means 404
	Identity       string                    // of the database; /readyz proves it to those who know it
	Details        func(context.Context) any // details for /readyz, shown to identified callers only; may be nil
	Metrics        *prometheus.Registry
	Tracer         *trace.Tracer // nil records no traces
	Log            *slog.Logger
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
	metrics  http.Handler
	scrapers scrapers
	answers  answers
	clients  clients
	failures *rate.Limiter // failed log-ins that are recorded
	usage    *usage
	notices  notices
	rates    rates
	origins  *http.CrossOriginProtection

	connections connections
}

// New returns a server; Serve starts it.
func New(s Store, e Engine, o Options) *Server {
	if o.RequestWait == 0 {
		o.RequestWait = 25 * time.Second
	}
	o.Auth = cmp.Or(o.Auth, AuthAuto)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	srv := &Server{
		store: s, engine: e, options: o, log: o.Log, origins: newOrigins(o.PublicURL),
		answers: answers{limit: maxAnswers}, clients: clients{limit: maxClients}, failures: rate.NewLimiter(rate.Every(time.Minute/failedLogIns), failedLogIns), usage: newUsage(),
		connections: connections{limit: maxConnections, idle: map[net.Conn]bool{}},
	}
	srv.took, srv.metrics = newDurations(), metricsHandler(o.Metrics, o.Log)
	o.Metrics.MustRegister(srv.took, newReadinessMetrics(srv))
	srv.http = http.Server{
		Handler:           srv.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      o.RequestWait + readAnswer,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ConnState:         srv.connections.changed,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	if o.API != nil {
		srv.http.RegisterOnShutdown(o.API.Close)
	}
	return srv
}

// route is a row of the table of routes.
type route struct {
	pattern string
	methods []string // nil if handle checks the method
	open    bool     // needs no token; other routes need at least the scope read
	handle  handler
}

// handler serves a request of an identified caller.
type handler func(w http.ResponseWriter, r *http.Request, c gistdeal.Caller)

// forAnyCaller returns a handler that serves all callers alike.
func forAnyCaller(h http.HandlerFunc) handler {
	return func(w http.ResponseWriter, r *http.Request, _ gistdeal.Caller) { h(w, r) }
}

// routes returns the table of all routes except the page.
func (s *Server) routes() []route {
	routes := []route{
		{"/login", []string{"POST"}, true, forAnyCaller(s.login)},
		{"/logout", []string{"POST"}, true, forAnyCaller(s.logout)},
		{"/login/options", []string{"GET", "HEAD"}, true, forAnyCaller(s.signInOptions)},
		{"/login/oidc", []string{"GET"}, true, forAnyCaller(s.beginSignIn)},
		{"/login/oidc/callback", []string{"GET"}, true, forAnyCaller(s.endSignIn)},
		{"/livez", []string{"GET", "HEAD"}, true, forAnyCaller(s.livez)},
		{"/readyz", []string{"GET", "HEAD"}, true, forAnyCaller(s.readyz)},
		{"/metrics", []string{"GET", "HEAD"}, true, forAnyCaller(s.scrape)}, // It checks the token itself.
	}
	routes = append(routes, s.compatRoutes()...)
	if s.options.API != nil {
		routes = append(routes, route{apiPath, nil, false, s.api})
	}
	return routes
}

// apiPath is the prefix of the routes of the API.
const apiPath = "/api/v1/"

// api passes a request to the API, with its caller and client.
func (s *Server) api(w http.ResponseWriter, r *http.Request, c gistdeal.Caller) {
	if !s.ownProgram(r) {
		c.Client = s.clientKey(r).String()
	}
	c.Recheck = func() error {
		_, err := s.callerOf(r)
		return err
	}
	s.options.API.ServeHTTP(w, r.WithContext(gistdeal.WithCaller(r.Context(), c)))
}

// Handler returns the handler for all requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.allow(r))
	}
	mux.Handle("/", s.allow(route{methods: []string{"GET", "HEAD"}, open: true, handle: forAnyCaller(s.page)}))
	return s.instrument(s.guard(compress(mux)))
}

// Serve serves requests on l until Stop. Afterwards it records no more use of
// tokens, not even for requests that Stop waits for.
func (s *Server) Serve(l net.Listener) error {
	ctx, cancel := context.WithCancel(context.Background())
	var recording sync.WaitGroup
	recording.Go(func() { s.usage.run(ctx, s.store, s.log) })
	defer recording.Wait()
	defer cancel()
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Drain makes /readyz report that the server is stopping, so that load balancers
// send no more requests.
func (s *Server) Drain() { s.stopping.Store(true) }

// Stop closes the listener, waits for requests in progress until ctx ends, and then
// closes their connections. It calls Drain first.
func (s *Server) Stop(ctx context.Context) error {
	s.Drain()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}
