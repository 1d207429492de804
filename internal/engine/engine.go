package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal"
	"gistdeal/internal/amend"
	"gistdeal/internal/feed"
	"gistdeal/internal/loop"
	"gistdeal/internal/probe"
	"gistdeal/internal/push"
	"gistdeal/internal/reconcile"
	"gistdeal/internal/runlog"
	"gistdeal/internal/scan"
)

// GitHub is the part of GitHub's client that the leader uses.
type GitHub interface {
	scan.GitHub
	feed.GitHub
	probe.GitHub
	// TokenLogin returns the login of the token's user; token is false without a token.
	TokenLogin(ctx context.Context) (login string, token bool, err error)
	Quotas() []gistdeal.Quota
	Outages() []gistdeal.Outage
	// Pace returns what GitHub's limits allow to sweeps.
	Pace() gistdeal.SweepPace
}

// Background is the part of GitHub's client for work that nobody waits for.
type Background interface {
	scan.GitHub
	feed.GitHub
	probe.GitHub
}

// Pipedrive is the part of Pipedrive's client that the leader uses.
type Pipedrive interface {
	push.Pipedrive
	reconcile.Pipedrive
	amend.Pipedrive
	Quotas() []gistdeal.Quota
	Outages() []gistdeal.Outage
	Restore([]gistdeal.Quota)
}

// Store is the part of the database that the leader uses.
type Store interface {
	scan.Store
	probe.Store
	feed.Store
	push.Store
	reconcile.Store
	amend.Store
	runlog.Store
	// TryLease returns a context that ends when the lease is lost; nil if another
	// process has the lease.
	TryLease(ctx context.Context) (leading context.Context, err error)
	Release() error
	Listen(ctx context.Context, notified func())
	InterruptRuns(ctx context.Context) error
	// NoteWork records that the leader works at that time. If none has done so for longer than
	// longest, it adds an event, and returns since when; otherwise zero.
	NoteWork(ctx context.Context, now time.Time, longest time.Duration) (since time.Time, err error)
	// SaveQuotas saves quotas and backoffs as JSON, with the events about their changes.
	SaveQuotas(ctx context.Context, value string, events ...gistdeal.Event) error
	// DeleteEvents deletes up to limit events from before then, and returns their number.
	DeleteEvents(ctx context.Context, then time.Time, limit int) (int, error)
	// SweepSize returns the number of users to scan.
	SweepSize(ctx context.Context) (gistdeal.SweepSize, error)
}

// Options are the settings of an Engine; the zero value works.
type Options struct {
	ScanInterval time.Duration               // between two scans of a user; 0 means 3 h
	FeedInterval time.Duration               // between two readings of the feed; 0 means that it is not read
	Backfill     gistdeal.Backfill           // of users that are tracked from now on; "" means all
	Limits       gistdeal.ApprovalLimits     // of deals that are queued without approval
	Order        gistdeal.PushOrder          // of the deals of one user; "" means the newest first
	Target       gistdeal.Target             // where new deals go
	Locked       map[gistdeal.Setting]string // settings that only the configuration decides, by variable
	Background   Background                  // for scans that nobody waits for; nil means the same as for the others
	ResendAfter  time.Duration               // how long a deal must be missing before it is sent again; 0 means 10 min
	RecheckAfter time.Duration               // how long after a deal was sent again its gist is checked for a duplicate; 0 means 1 h
	// AuditsOnRequest means no audit each night, for tests that run at any time of day.
	AuditsOnRequest bool
	// Operations works off bulk operations until its context ends, while this process leads;
	// nil means that there are none.
	Operations func(context.Context) error
	// Retention deletes old rows until its context ends, while this process leads; nil means
	// that none is deleted.
	Retention func(context.Context) error
	// Deliveries sends messages to webhooks until its context ends, while this process leads;
	// nil means that there are none.
	Deliveries func(context.Context) error
	KeepEvents time.Duration    // how long events are kept; 0 means for good
	Drain      time.Duration    // how long after the end of the work results of requests are still waited for
	Owner      string           // names this process in claims; unique for each start
	Now        func() time.Time // the clock of the rows; nil means time.Now
	Log        *slog.Logger     // nil means none
	Metrics    prometheus.Registerer
}

// Engine composes the loops, and runs them while it holds the lease. Track and
// RequestScan work without the lease too.
type Engine struct {
	scanner    *scan.Scanner
	prober     *probe.Prober
	feed       *feed.Reader
	pusher     *push.Pusher
	amender    *amend.Amender
	reconciler *reconcile.Reconciler
	accounts   *push.Accounts

	store     Store
	github    GitHub
	pipedrive Pipedrive
	options   Options
	log       *slog.Logger

	kept          gistdeal.Quotas // as last saved
	leading       atomic.Bool
	plan          atomic.Pointer[gistdeal.SweepPlan] // nil before the first one
	gitHubBackoff *loop.Backoff
	pushBackoff   *loop.Backoff
	faults        *loop.Backoff // of gistdeal or of its database
	backoffs      loop.Signal   // one of the two has begun or ended
	queued        loop.Signal   // a deal may be due
	stopped       chan struct{} // closed when Run's context ends
	drained       chan struct{} // closed Drain after that
}

// OwnFault describes pushes that wait for gistdeal or its database, and not for a remote.
const OwnFault = "a fault of gistdeal or of its database"

// ownFaults names gistdeal and its database where others name a remote.
const ownFaults = "database"

// scanInterval is the default of Options.ScanInterval.
const scanInterval = 3 * time.Hour

// New returns an engine over its parts. Nothing works before Run.
func New(s Store, g GitHub, p Pipedrive, o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Background == nil {
		o.Background = g
	}
	backoffs, queued := loop.NewSignal(), loop.NewSignal()
	e := &Engine{
		store: s, github: g, pipedrive: p, options: o, log: o.Log, accounts: push.NewAccounts(s, o.Log, o.Now),
		gitHubBackoff: loop.NewBackoff("GitHub", o.Log, backoffs), pushBackoff: loop.NewBackoff("Pipedrive", o.Log, backoffs),
		faults:   loop.NewBackoff(ownFaults, o.Log, backoffs),
		backoffs: backoffs, queued: queued, stopped: make(chan struct{}), drained: make(chan struct{}),
	}
	runs := runlog.New(s, o.Log, o.Now)
	e.prober = probe.New(s, o.Background, o.Log, o.Now)
	e.scanner = scan.New(s, g, runs, e.gitHubBackoff, queued, e.drained, scan.Options{
		Interval: o.ScanInterval, Backfill: o.Backfill, Limits: o.Limits, Order: o.Order, Locked: o.Locked,
		Background: o.Background, Prober: e.prober, Now: o.Now, Log: o.Log, Metrics: o.Metrics,
	})
	e.feed = feed.New(s, g, e.gitHubBackoff, queued, feed.Options{
		Interval: o.FeedInterval, Limits: o.Limits, Order: o.Order, Locked: o.Locked, Now: o.Now, Log: o.Log, Metrics: o.Metrics,
	})
	e.reconciler = reconcile.New(s, p, e.pushBackoff, queued, reconcile.Options{
		ResendAfter: o.ResendAfter, RecheckAfter: o.RecheckAfter, OnRequest: o.AuditsOnRequest, Now: o.Now, Log: o.Log,
	})
	e.pusher = push.New(s, p, push.Shared{
		Reconciler: e.reconciler, Runs: runs, Accounts: e.accounts, Backoff: e.pushBackoff, Faults: e.faults, Queued: queued, Stopping: e.stopped,
	}, push.Options{
		Target: o.Target, Locked: o.Locked, Owner: o.Owner, Now: o.Now, Log: o.Log, Metrics: o.Metrics,
	})
	e.amender = amend.New(s, p, o.Background, amend.Options{Owner: o.Owner, Ready: e.pusher.Ready, Stopping: e.stopped, Now: o.Now, Log: o.Log, Metrics: o.Metrics})
	e.watch(o.Metrics)
	return e
}

// Track tracks login, and returns nil once its first scan has succeeded. See
// [scan.Scanner.Track].
func (e *Engine) Track(ctx context.Context, login string) error { return e.scanner.Track(ctx, login) }

// RequestScan stores a request for the leader and waits for the result. See
// [scan.Scanner.RequestScan].
func (e *Engine) RequestScan(ctx context.Context, a gistdeal.ScanRequest) (gistdeal.RequestResult, error) {
	return e.scanner.RequestScan(ctx, a)
}

// Wake makes the loops read at once the rows that another part of this process
// wrote. Rows of other processes are read within a second.
func (e *Engine) Wake() {
	e.scanner.Wake()
	e.queued.Set()
}

// TryNow ends the waits after refusals of a key, because the operator has changed it.
func (e *Engine) TryNow() {
	e.gitHubBackoff.TryNow()
	e.pushBackoff.TryNow()
	e.amender.TryNow()
	e.Wake()
}

// Status is the present state of the work, in words for people.
type Status struct {
	Working bool             `json:"leader" doc:"whether this process holds the lease"`
	Pushes  string           `json:"pushes"`
	GitHub  string           `json:"github"`
	Quotas  []gistdeal.Quota `json:"quotas,omitempty"` // those that are known
}

// Status returns the present state of the work.
func (e *Engine) Status() Status {
	if !e.leading.Load() {
		return Status{Pushes: "done by the leader, another instance", GitHub: "read by the leader, another instance"}
	}
	pushes := e.pushBackoff.Status().String()
	if b := e.faults.Status(); b.Stage != "" {
		pushes = OwnFault + ": " + b.String()
	}
	return Status{Working: true, Pushes: pushes, GitHub: e.scanner.Status(), Quotas: e.quotas()}
}
