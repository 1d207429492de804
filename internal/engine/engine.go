package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"gistdeal"
	"gistdeal/internal/testing/failpoint"
)

// GitHub is what the engine needs of GitHub.
type GitHub interface {
	User(ctx context.Context, login string) (gistdeal.Account, error)
	UserByID(ctx context.Context, id int64) (gistdeal.Account, error)
	Gists(ctx context.Context, login, etag string, page func(gistdeal.GistPage) error) (gistdeal.Listing, error)
	// Ready returns nil if a reading may begin, or a Limited error.
	Ready() error
	// Whose returns whose token it is; token is false if there is none.
	Whose(ctx context.Context) (login string, token bool, err error)
	Budget() gistdeal.Budget
}

// Pipedrive is what the engine needs of Pipedrive.
type Pipedrive interface {
	Me(ctx context.Context) (gistdeal.PipedriveAccount, error)
	Aim(a gistdeal.Aim)
	Pipelines(ctx context.Context) ([]gistdeal.AccessPipeline, error)
	Owners(ctx context.Context) ([]string, error)
	Prepare(ctx context.Context, keys map[string]string) (map[string]string, error)
	Reserve(ctx context.Context) error
	CreateDeal(ctx context.Context, start time.Time, d gistdeal.Draft) (int64, error)
	Deals(ctx context.Context, since time.Time, each func(gistdeal.RemoteDeal)) error
	Deal(ctx context.Context, id int64) (gistdeal.RemoteDeal, error)
	DeleteDeal(ctx context.Context, id int64) error
	Now() (now time.Time, known bool)
	Budgets() []gistdeal.Budget
	Used() (requests, tokens int)
	Restore([]gistdeal.Budget)
}

// Store is what the engine needs of the database.
type Store interface {
	// TryLease's context ends when the lease is lost; it is nil if another process has the lease.
	TryLease(ctx context.Context) (held context.Context, err error)
	Release() error
	Listen(ctx context.Context, heard func())
	Setting(ctx context.Context, name string) (string, error)
	Set(ctx context.Context, name, value string) error

	Track(ctx context.Context, a gistdeal.Account, policy gistdeal.FirstScan, now time.Time) (gistdeal.User, error)
	User(ctx context.Context, id int64) (gistdeal.User, error)
	UserByLogin(ctx context.Context, login string) (gistdeal.User, error)
	Erased(ctx context.Context, a gistdeal.Account) (bool, error)
	Rename(ctx context.Context, a gistdeal.Account) error
	Gone(ctx context.Context, userID int64, loginTaken bool, problem string, next time.Time) error
	Ask(ctx context.Context, now time.Time, asks ...gistdeal.Ask) ([]gistdeal.Ask, error)
	WaitingAsks(ctx context.Context, least gistdeal.Want, limit int) ([]gistdeal.Ask, error)
	Answer(ctx context.Context, a gistdeal.Ask, answer gistdeal.Answer, now time.Time) (bool, error)
	Answers(ctx context.Context, asks ...gistdeal.Ask) (map[string]gistdeal.Answer, error)
	Requeue(ctx context.Context, a gistdeal.Ask, problem string, now time.Time) error
	BringForward(ctx context.Context, interval time.Duration, now time.Time) (int64, error)
	DueUsers(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error)
	DueCount(ctx context.Context, now, latest time.Time) (int, error)
	Scanned(ctx context.Context, userID int64, l gistdeal.Listing, now, next time.Time) error
	FirstScanned(ctx context.Context, userID int64, l gistdeal.Listing, most int, now, next time.Time) (int, error)
	ScanFailed(ctx context.Context, userID int64, problem string, next time.Time) error
	SaveGists(ctx context.Context, userID int64, gists []gistdeal.Gist, n gistdeal.Noticing, now time.Time) (int, error)
	HasGists(ctx context.Context, userID int64) (bool, error)

	BeginRun(ctx context.Context, r gistdeal.Run) (int64, error)
	NoteRun(ctx context.Context, r gistdeal.Run) error
	CutRuns(ctx context.Context) error

	Due(ctx context.Context) (bool, error)
	Claim(ctx context.Context, owner string, now, remote time.Time) (gistdeal.Claim, bool, error)
	Reclaim(ctx context.Context, c gistdeal.Claim, looks int, owner string, now, remote time.Time) (gistdeal.Claim, bool, error)
	Made(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) (bool, error)
	Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error
	GiveBack(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) (bool, error)
	Unknown(ctx context.Context) ([]gistdeal.Claim, error)
	AdoptUnknown(ctx context.Context, c gistdeal.Claim, dealID int64, surplus []int64, looks int, now time.Time) (bool, error)
	Adopt(ctx context.Context, one map[string]int64, surplus map[string][]int64, now time.Time) (int, error)
	Strange(ctx context.Context, deals map[string]int64) ([]string, error)
	LastOutcome(ctx context.Context) (time.Time, error)
	SentAgain(ctx context.Context, then time.Time) (gists []string, since time.Time, err error)
	LookedAgain(ctx context.Context, gists []string, then, now time.Time) error

	Explain(ctx context.Context, gistID string) (gistdeal.Story, error)
	OrderAudit(ctx context.Context, o gistdeal.AuditOrder) error
	NextAudit(ctx context.Context) (gistdeal.AuditOrder, bool, error)
	EndAudit(ctx context.Context, a gistdeal.Audit) error
	LastAudit(ctx context.Context) (time.Time, error)
	AuditRows(ctx context.Context, after string, limit int) ([]gistdeal.AuditRow, error)
	MarkGone(ctx context.Context, userID int64, listed []string, now time.Time) error
	Dropped(ctx context.Context) (map[int64]bool, error)
	Surplus(ctx context.Context) ([]int64, error)
	AddSurplus(ctx context.Context, deals map[string][]int64, now time.Time) error
	SurplusOf(ctx context.Context, dealID int64) (string, error)
	ForgetSurplus(ctx context.Context, dealID int64) error
	Relink(ctx context.Context, gistID string, from, to int64) (bool, error)
	Queue(ctx context.Context, gistID string, now time.Time) (bool, error)
	Recreate(ctx context.Context, gistID string, dealID int64, now time.Time) (bool, error)
}

// Options are what an Engine can be told; the zero value works.
type Options struct {
	ScanInterval time.Duration              // between two scans of a user; 0 means 3 h
	FirstScan    gistdeal.FirstScan         // of users that are tracked from now on; "" means all
	FirstScanMax int                        // more deals than that from a first scan wait for a person's yes; 0: no limit
	Aim          gistdeal.Aim               // where new deals go
	Locked       map[gistdeal.Choice]string // choices that nobody but the configuration makes, and which variable does
	Background   GitHub                     // for scans that nobody waits for; nil means as for the others
	Absence      time.Duration              // how long a deal must be missing before it is sent again; 0 means 10 min
	LookAgain    time.Duration              // how long after a second request its gist is looked at again; 0 means 1 h
	Drain        time.Duration              // how long after the end of its work others' answers to asks are still waited for
	Owner        string                     // names this process in claims; unique for each start
	Now          func() time.Time           // for due times; nil means time.Now
	Log          *slog.Logger               // nil means none
	Metrics      prometheus.Registerer
}

// Engine works while it holds the lease.
type Engine struct {
	store      Store
	github     GitHub
	background GitHub
	pipedrive  Pipedrive
	options    Options
	log        *slog.Logger
	now        func() time.Time
	metrics    *metrics

	leading atomic.Bool
	ready   atomic.Bool // to make deals: connected and caught up
	account atomic.Pointer[gistdeal.PipedriveAccount]
	aimed   gistdeal.Aim  // where new deals go; changes only while none is made
	reading gate          // pauses of GitHub
	pushing gate          // pauses of Pipedrive
	gates   chan struct{} // one of them has opened or closed

	scans        singleflight.Group // one scan of a user at a time, by id
	asks         asks
	doubts       doubts
	round        round
	found        chan struct{} // a deal may be due
	accountsLock sync.Mutex
	accounts     gistdeal.Accounts

	stopping chan struct{} // closed when nobody shall wait here any more
}

// New returns an engine over its three parts. Run makes it work.
func New(s Store, g GitHub, p Pipedrive, o Options) *Engine {
	if o.ScanInterval == 0 {
		o.ScanInterval = 3 * time.Hour
	}
	if o.FirstScan == "" {
		o.FirstScan = gistdeal.FirstScanAll
	}
	if o.Absence == 0 {
		o.Absence = 10 * time.Minute
	}
	if o.LookAgain == 0 {
		o.LookAgain = time.Hour
	}
	if o.Background == nil {
		o.Background = g
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		store: s, github: g, background: o.Background, pipedrive: p, options: o, log: o.Log, now: o.Now, metrics: newMetrics(o.Metrics),
		asks: newAsks(), found: make(chan struct{}, 1), stopping: make(chan struct{}),
	}
	e.gates = make(chan struct{}, 1)
	e.reading = gate{remote: "GitHub", log: o.Log, changed: e.gates}
	e.pushing = gate{remote: "Pipedrive", log: o.Log, changed: e.gates}
	e.round.engine = e
	e.doubts = doubts{absence: o.Absence, rows: map[string]*doubt{}, wake: make(chan struct{}, 1)}
	e.watch(o.Metrics)
	return e
}

// leaseRetry is how often a process without the lease tries to get it.
const leaseRetry = time.Second

// Run works until ctx ends, and then until the deals that are being sent have
// an outcome. Before that it waits, as long as it takes, for the lease, and if
// it loses the lease it waits for it again. It returns an error only for a
// mistake that nobody but a person can correct before the next start.
func (e *Engine) Run(ctx context.Context) error {
	var listening sync.WaitGroup
	defer listening.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(e.options.Drain, func() { close(e.stopping) }) })
	listening.Go(func() { e.store.Listen(ctx, e.asks.heard) })
	for {
		held, err := e.awaitLease(ctx)
		if err != nil || held == nil {
			return err
		}
		err = e.lead(ctx, held)
		if releaseErr := e.store.Release(); releaseErr != nil {
			e.log.Error("lease not released", "error", releaseErr)
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
		e.log.Warn("lease lost", "meaning", "this process only answers readers until it has it again", "reason", context.Cause(held))
	}
}

// lead works while the lease is held, and then until the deals that are being
// sent have an outcome, for which it has until run ends. What an earlier
// leadership knew may no longer be so: another process may have worked since.
func (e *Engine) lead(run, held context.Context) error {
	e.doubts.reset()
	e.takeUpLimits(held)
	e.cutRuns(held)
	e.bringForward(held)
	e.ready.Store(false)
	e.leading.Store(true)
	defer e.leading.Store(false)
	g, ctx := errgroup.WithContext(held)
	g.Go(func() error { return e.answerAsks(ctx) })
	g.Go(func() error { return e.sweep(ctx) })
	g.Go(func() error { return e.makeDeals(run, ctx) })
	g.Go(func() error { return e.keepLimits(ctx) })
	g.Go(func() error { return e.watchDeals(ctx) })
	g.Go(func() error { e.noteGitHub(ctx); return nil })
	err := g.Wait()
	if held.Err() == nil || run.Err() != nil { // Else another process may know better.
		e.keepLast(run)
	}
	return err
}

// awaitLease returns the context of the work once this process holds the
// lease, nil if ctx ended before.
func (e *Engine) awaitLease(ctx context.Context) (context.Context, error) {
	var once sync.Once
	for {
		if failpoint.Broken(failpoint.NoLease) {
			return ctx, nil
		}
		held, err := e.store.TryLease(ctx)
		if held != nil {
			return held, nil
		}
		if err != nil && ctx.Err() == nil && gistdeal.KindOf(err) != gistdeal.Temporary {
			return nil, err
		}
		if err == nil {
			once.Do(func() {
				e.log.Warn("another process works", "meaning", "this one only answers readers until that one ends")
			})
		}
		if !sleep(ctx, leaseRetry) {
			return nil, nil
		}
	}
}

// Wake makes the engine look at once for what another part of this process has
// written; what other processes write, it finds within a second.
func (e *Engine) Wake() {
	poke(e.asks.wake)
	poke(e.found)
}

// Status is what the engine is doing, in words for people.
type Status struct {
	Working bool              `json:"working" doc:"whether this process holds the lease"`
	Pushes  string            `json:"pushes"`
	GitHub  string            `json:"github"`
	Budgets []gistdeal.Budget `json:"budgets,omitempty"` // those that are known
}

// Status returns what the engine is doing.
func (e *Engine) Status() Status {
	if !e.leading.Load() {
		return Status{Pushes: "done by another process", GitHub: "read by another process"}
	}
	return Status{Working: true, Pushes: e.pushing.pause().String(), GitHub: e.gitHubStatus(), Budgets: e.budgets()}
}

// gitHubStatus says in words what is read from GitHub, and what has to wait until when.
func (e *Engine) gitHubStatus() string {
	said, err := "paused", e.github.Ready()
	if err == nil {
		said, err = "on, but sweeps wait", e.background.Ready()
	}
	if err == nil || e.reading.trying() {
		return e.reading.pause().String()
	}
	return fmt.Sprintf("%s: %v; next try at %s", said, err, time.Now().Add(gistdeal.RetryAfter(err)).UTC().Format(time.RFC3339))
}

// sleep waits for d and reports true, or false as soon as ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	return sleepUnless(ctx, d, nil)
}

// sleepUnless waits for d or until something comes from wake, and reports
// false as soon as ctx ends.
func sleepUnless(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return ctx.Err() == nil
}

// poke wakes whoever sleeps on c, or the next who will.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
