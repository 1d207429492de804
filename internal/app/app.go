package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"gistdeal"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/api"
	"gistdeal/internal/config"
	"gistdeal/internal/deliver"
	"gistdeal/internal/engine"
	"gistdeal/internal/github"
	"gistdeal/internal/mail"
	"gistdeal/internal/operation"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/retention"
	"gistdeal/internal/server"
	"gistdeal/internal/signin"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/mutant"
	"gistdeal/internal/trace"
	"gistdeal/internal/web"
	"gistdeal/internal/webhook"
)

// stopTimeout is the longest time that Run takes to stop: longer than the usual
// deadline of a POST, shorter than the patience of service managers.
const stopTimeout = 20 * time.Second

// startCheck is how long the start looks for damage in a SQLite file.
const startCheck = 2 * time.Second

// maxRequests is the number of users that may wait for their lookup at GitHub if they were
// added over HTTP: as many as one request may name.
const maxRequests = 10_000

// App is the assembled program.
type App struct {
	config  config.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	store   *store.Store

	github     *github.Client
	pipedrive  *pipedrive.Client
	engine     *engine.Engine
	operations *operation.Operations
	server     *server.Server
	tracer     *trace.Tracer // nil without a receiver of traces
	listen     net.Listener
}

// New opens the database, listens, and assembles the parts. No loop runs before
// Run. Errors tell the operator how to fix the cause.
func New(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	log.Info("starting", "version", c.Version, "go_version", runtime.Version(), "configuration", c.Summary())
	registry := prometheus.NewRegistry()
	hub, err := github.New(c.GitHubURL, github.Options{Token: string(c.GitHubToken), UserAgent: config.UserAgent(c.Version), Metrics: registry})
	if err != nil {
		return nil, fmt.Errorf("GITHUB_API_URL: %w", err)
	}
	pipe, err := pipedrive.New(c.PipedriveURL, pipedrive.Options{
		Token: string(c.PipedriveKey), Rate: c.PipedriveRate, QuotaReserve: c.QuotaReserve,
		PushTimeout: c.PushTimeout, Target: c.Target, UserAgent: config.UserAgent(c.Version), Metrics: registry,
	})
	if err != nil {
		return nil, fmt.Errorf("PIPEDRIVE_API_URL: %w", err)
	}
	o := c.StoreOptions(log)
	o.MaxRequests, o.Check, o.KeepAuditLog = maxRequests, startCheck, time.Duration(c.AuditLogDays)*24*time.Hour
	db, err := store.Open(ctx, string(c.Database), o)
	if err != nil {
		return nil, err
	}
	log.Info("database opened", "database", c.Database, "schema_before", db.Before().Version, "schema", db.Before().Known)
	a := &App{config: c, log: log, store: db, github: hub, pipedrive: pipe, metrics: registry}
	if c.TraceURL != "" {
		a.tracer = trace.New(trace.Options{Endpoint: c.TraceURL, Header: c.TraceHeader(), Version: c.Version, Log: log})
	}
	if err := a.prepare(ctx, hub, pipe); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

// prepare completes New after the database was opened.
func (a *App) prepare(ctx context.Context, hub *github.Client, pipe *pipedrive.Client) error {
	c := a.config
	if err := a.store.CheckEraseKey(ctx); err != nil {
		return err
	}
	if err := a.setAdminToken(ctx, string(a.config.AdminToken)); err != nil {
		return err
	}
	if err := a.store.RecordConfigured(byConfiguration(ctx), Configured(c).Values, time.Now()); err != nil {
		return err
	}
	identity, err := a.store.Identity(ctx)
	if err != nil {
		return err
	}
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCounts(a.store, a.log), newBuildInfo(c.Version))
	a.operations = operation.New(a.store, a.log)
	sender := webhook.New(webhook.Options{Private: c.PrivateHooks, UserAgent: config.UserAgent(c.Version)})
	deliveries := deliver.New(a.store, mutant.Sender(sender), deliver.Options{Mail: mail.Server{URL: string(c.SMTPURL), From: c.SMTPFrom}, PublicURL: c.PublicURL, Now: failpoint.Now, Log: a.log, Metrics: a.metrics})
	a.engine = engine.New(mutant.Store(a.store), hub, mutant.Pipedrive(pipe), engine.Options{
		ScanInterval: c.ScanInterval, FeedInterval: feedInterval(c), Backfill: c.Backfill, Limits: gistdeal.ApprovalLimits{Threshold: c.Threshold, Daily: c.DailyLimit}, Order: c.Order, Background: hub.Background(),
		Target: c.Target, Locked: c.Locked,
		ResendAfter: c.ResendAfter, KeepEvents: time.Duration(c.EventDays) * 24 * time.Hour, Drain: c.Drain, Owner: rand.Text(), Now: failpoint.Now, Log: a.log, Metrics: a.metrics, Operations: func(ctx context.Context) error { return a.operations.Run(ctx, hub.Background()) }, Retention: a.retention().Run, Deliveries: deliveries.Run,
	})
	a.metrics.MustRegister(newQuotas(func() []gistdeal.Quota { return a.engine.Status().Quotas }))
	a.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("GISTDEAL_ADDR: %s is in use by another process: stop that one, or choose another address (%w)", c.Addr, err)
	}
	if err != nil {
		return fmt.Errorf("GISTDEAL_ADDR: %w", err)
	}
	a.server = server.New(a.store, a.engine, server.Options{
		SignIn: signIn(c), SignInAge: c.OIDC.Session,
		RequestWait: c.RequestWait, Auth: a.auth(), PublicURL: c.PublicURL, TrustedProxies: c.Proxies, Page: web.Handler(),
		API: a.api(hub, pipe), Identity: identity, Details: a.details, Metrics: a.metrics, Tracer: a.tracer, Log: a.log,
	})
	return nil
}

// retention returns what deletes old rows.
func (a *App) retention() *retention.Remover {
	const day = 24 * time.Hour
	return retention.New(a.store, retention.Options{Now: failpoint.Now, Log: a.log, Metrics: a.metrics},
		retention.Rule{Table: "attempts", Keep: time.Duration(a.config.AttemptDays) * day, Delete: a.store.DeleteAttempts},
		retention.Rule{Table: "runs", Keep: time.Duration(a.config.RunDays) * day, Delete: a.store.DeleteRuns},
		retention.Rule{Table: "events"}, // The engine deletes these.
	)
}

// signIn returns the configured sign-in, nil if there is none.
func signIn(c config.Config) *signin.Provider {
	if c.OIDC.Issuer == "" {
		return nil
	}
	return signin.New(c.SignIn())
}

// api returns the HTTP API.
func (a *App) api(hub *github.Client, pipe *pipedrive.Client) *api.API {
	pace := func(ctx context.Context) (estimate.Pace, error) {
		l, err := activity.New(a.store).Quotas(ctx) // Of the leader, which this process may not be.
		return estimate.Pace{PerSecond: pipe.Pace(), Quotas: l.Quotas, Sweep: estimate.SweepOf(hub.Pace(), a.config.ScanInterval, l.Sweep)}, err
	}
	return api.New(a.store, Configured(a.config), api.Options{
		Version: a.config.Version, Wait: a.config.RequestWait, Wake: a.engine.Wake, Log: a.log, PublicURL: a.config.PublicURL, Operations: a.operations,
		Estimate: func(ctx context.Context, q estimate.Question) (estimate.Estimate, error) {
			return estimate.Make(ctx, hub, a.store, q, pace)
		},
		Cost: func(ctx context.Context, deals int) (estimate.Cost, error) {
			p, err := pace(ctx)
			return estimate.CostOf(deals, p), err
		},
	})
}

// Configured returns the part of the configuration that is about settings.
func Configured(c config.Config) settings.Configured {
	return settings.Configured{Locked: c.Locked, Values: map[gistdeal.Setting]string{
		gistdeal.SettingPipeline: c.Target.Pipeline, gistdeal.SettingStage: c.Target.Stage, gistdeal.SettingOwner: c.Target.Owner,
		gistdeal.SettingBackfill: string(c.Backfill), gistdeal.SettingApprovalThreshold: strconv.Itoa(c.Threshold), gistdeal.SettingDailyLimit: strconv.Itoa(c.DailyLimit),
	}}
}

// setAdminToken makes the configured token valid, and an earlier one invalid.
func (a *App) setAdminToken(ctx context.Context, token string) error {
	ctx = byConfiguration(ctx)
	if token == "" {
		if err := a.store.RevokeToken(ctx, gistdeal.AdminToken, time.Now()); gistdeal.KindOf(err) != gistdeal.NotFound {
			return err
		}
		return nil
	}
	if err := a.store.SetToken(ctx, gistdeal.AdminToken, gistdeal.HashToken(token), gistdeal.ScopeAdmin, time.Now()); err != nil {
		return fmt.Errorf("GISTDEAL_ADMIN_TOKEN: %w", err)
	}
	return nil
}

// byConfiguration returns a context whose changes the audit log records as ones of the
// configuration.
func byConfiguration(ctx context.Context) context.Context {
	return gistdeal.WithCaller(ctx, gistdeal.Caller{Name: string(gistdeal.SourceConfiguration), Source: gistdeal.SourceConfiguration})
}

// auth returns which requests need a token. All do if anything says that other
// people come: a connection from this machine is then no sign of its owner, because
// proxies, tunnels and other users connect from this machine too.
func (a *App) auth() server.Auth {
	c := a.config
	listen, ok := a.listen.Addr().(*net.TCPAddr)
	private := ok && listen.IP.IsLoopback() && c.AdminToken == "" && c.PublicURL == "" && len(c.Proxies) == 0
	if c.Auth == config.AuthAuto && !private {
		return server.AuthToken
	}
	return server.Auth(c.Auth)
}

// logAccess logs which requests need no token, and how to get in if all need one.
func (a *App) logAccess(ctx context.Context) {
	const add = "gistdeal tokens add --name NAME --scope admin"
	exist, err := a.store.HasTokens(ctx)
	switch {
	case err != nil:
		a.log.Error("tokens not read", "error", err)
	case a.auth() == server.AuthNone:
		a.log.Warn("no token needed", "meaning", "everybody who reaches the public URL may track users and change deals", "public_url", a.config.PublicURL)
	case !exist && a.auth() == server.AuthAuto:
		a.log.Warn("no token needed on this machine", "meaning", "every user and program of this machine may do everything, until the first token exists", "to_end_it", add)
	case !exist && a.config.OIDC.Issuer == "":
		a.log.Warn("no token exists", "meaning", "nobody can log in or use the API", "to_add_one", add)
	}
}

// anonymousUsers returns how many users of up to 100 gists can be scanned every
// interval without a token: one request each, also if nothing is new.
func anonymousUsers(interval time.Duration) int {
	return int(float64(github.AnonymousLimit-github.Reserved(github.AnonymousLimit)) * interval.Hours())
}

// anonymousFeed is the shortest time between two readings of the feed without a token:
// they take a tenth of the quota.
const anonymousFeed = 10 * time.Minute

// feedInterval returns the time between two readings of the feed, 0 for none.
func feedInterval(c config.Config) time.Duration {
	if c.GitHubToken != "" || c.FeedInterval == 0 {
		return c.FeedInterval
	}
	return max(c.FeedInterval, anonymousFeed)
}

// details returns the details of /readyz, for callers with access.
func (a *App) details(ctx context.Context) any {
	status := a.engine.Status()
	// Any instance may have paused the pushes, so only the database knows.
	if p, err := a.store.PushPause(ctx); err != nil {
		a.log.Error("pause not read", "error", err)
		status.Pushes = engine.OwnFault
	} else if p.On() {
		status.Pushes = p.String()
	}
	return struct {
		engine.Status
		Demo bool `json:"demo,omitempty"`
	}{status, a.config.Demo}
}

// Addr returns the address that the server listens on.
func (a *App) Addr() string { return a.listen.Addr().String() }

// Run runs the engine and the server until ctx ends, or until one of them returns
// an error that needs a person, which Run returns. Then it stops within 20 seconds:
// it is not ready at once, starts no new work, and records the outcomes of requests
// under way; attempts without an outcome are looked up after the next start. During
// the drain it answers as before.
func (a *App) Run(ctx context.Context) error {
	endTraces := a.sendTraces(ctx)
	ctx, stop := context.WithCancel(a.tracer.Context(ctx))
	defer stop()
	var parts errgroup.Group
	parts.Go(func() error { defer stop(); return a.engine.Run(ctx) })
	parts.Go(func() error { defer stop(); return a.server.Serve(a.listen) })
	a.logAccess(ctx)
	if a.config.GitHubToken == "" {
		a.log.Warn("no GITHUB_TOKEN", "meaning", "without a token GitHub allows this address few requests; with one, 5,000 an hour",
			"requests_an_hour", github.AnonymousLimit, "reserved_interactive", github.Reserved(github.AnonymousLimit),
			"users_of_one_page", anonymousUsers(a.config.ScanInterval), "scanned_every", a.config.ScanInterval.String(), "feed_read_every", feedInterval(a.config).String())
	}

	hangups, stopHangups := hangups()
	defer stopHangups()
	parts.Go(func() error { a.reloadOn(ctx, hangups); return nil })
	a.log.Info("listening", "address", a.Addr(), "database", a.config.Database)
	a.notify("READY=1\nSTATUS=listening on " + a.Addr())
	debug.FreeOSMemory() // The start needs more memory than serving does.

	<-ctx.Done()
	err := a.stop(ctx, &parts)
	endTraces()
	a.log.Info("stopped")
	return err
}

// sendTraces sends traces until the returned function is called.
func (a *App) sendTraces(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var sending sync.WaitGroup
	sending.Go(func() { a.tracer.Run(ctx) })
	return func() {
		cancel()
		sending.Wait()
	}
}

// stop stops the parts, which ctx's end has told to stop, and waits for them.
func (a *App) stop(ctx context.Context, parts *errgroup.Group) error {
	a.log.Info("stopping")
	a.notify("STOPPING=1")
	a.server.Drain()
	time.Sleep(a.config.Drain)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := a.server.Stop(stopping); err != nil {
		a.log.Warn("requests cut off", "error", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- parts.Wait() }()
	select {
	case err := <-ended:
		return errors.Join(err, a.store.Close())
	case <-stopping.Done():
		a.log.Warn("stopped before all work had ended", "meaning", "attempts without an outcome are looked up after the next start")
		return nil
	}
}
