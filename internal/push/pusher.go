package push

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/reconcile"
	"gistdeal/internal/rules"
	"gistdeal/internal/runlog"
)

// Pipedrive is the part of Pipedrive's client that a Pusher uses.
type Pipedrive interface {
	Me(ctx context.Context) (gistdeal.PipedriveAccount, error)
	SetTarget(t gistdeal.Target)
	Pipelines(ctx context.Context) ([]gistdeal.AccessPipeline, []gistdeal.CatalogStage, error)
	Owners(ctx context.Context) ([]gistdeal.CatalogEntry, error)
	Prepare(ctx context.Context, keys map[string]string) (gistdeal.Prepared, error)
	Reserve(ctx context.Context) error
	CreateDeal(ctx context.Context, start time.Time, d gistdeal.Draft) (int64, error)
	Used() (requests, tokens int)
}

// Store is the part of the database that a Pusher uses.
type Store interface {
	SettingStore
	SetAll(ctx context.Context, values map[string]string) error
	Due(ctx context.Context) (due, catchUp bool, err error)
	Claim(ctx context.Context, owner string, now, remote time.Time) (gistdeal.Claim, bool, error)
	Reclaim(ctx context.Context, c gistdeal.Claim, lookups int, owner string, now, remote time.Time) (gistdeal.Claim, bool, error)
	RecordCreated(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) (bool, error)
	Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error
	RecordNoDeal(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error
	GiveBack(ctx context.Context, c gistdeal.Claim, reason string, behind bool, now time.Time) (bool, error)
	Hold(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) (bool, error)
	InDoubt(ctx context.Context) ([]gistdeal.Claim, error)
	PushPause(ctx context.Context) (gistdeal.Pause, error)
	Orders(ctx context.Context) (int64, error)
	HoldRule(ctx context.Context, rule, reason string, now time.Time) (int64, error)
}

// Options are the settings of a Pusher; the zero value works.
type Options struct {
	Target  gistdeal.Target             // of new deals, as configured
	Locked  map[gistdeal.Setting]string // settings that only the configuration decides, by variable
	Owner   string                      // names this process in claims; unique for each start
	Now     func() time.Time            // the clock of the rows; nil means time.Now
	Log     *slog.Logger                // nil means none
	Metrics prometheus.Registerer
}

// Shared has the parts that a Pusher shares with the rest of the leader.
type Shared struct {
	Reconciler *reconcile.Reconciler
	Runs       *runlog.Log
	Accounts   *Accounts
	Backoff    *loop.Backoff   // from Pipedrive
	Faults     *loop.Backoff   // after faults of gistdeal or of its database
	Queued     loop.Signal     // set when a deal may be due
	Stopping   <-chan struct{} // closed when the process is about to end
}

// Pusher creates deals.
type Pusher struct {
	Shared
	store     Store
	pipedrive Pipedrive
	options   Options
	log       *slog.Logger
	now       func() time.Time
	account   atomic.Pointer[gistdeal.PipedriveAccount]
	target    gistdeal.Target // of the deals that are being pushed
	inDoubt   inDoubt
	forbidden forbidden
	run       pushRun
	rules     *rules.Current
	wanted    string // gistdeal.KeyCatalogWanted, before the account was read
	relist    bool   // the stages and owners have to be listed again, because one of a rule is gone

	pushes  *prometheus.CounterVec
	lookups *prometheus.CounterVec
	latency prometheus.Histogram
}

// New returns a Pusher.
func New(s Store, p Pipedrive, shared Shared, o Options) *Pusher {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := promauto.With(o.Metrics)
	return &Pusher{
		Shared: shared, store: s, pipedrive: p, options: o, log: o.Log, now: o.Now,
		rules:   rules.NewCurrent(s),
		inDoubt: newInDoubt(shared.Reconciler.ResendAfter()), run: pushRun{runs: shared.Runs, pipedrive: p},
		pushes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_pushes_total", Help: "Attempts to create a deal, by outcome.",
		}, []string{"outcome"}),
		lookups: f.NewCounterVec(prometheus.CounterOpts{
			Name: "gistdeal_lookups_total", Help: "Lookups in Pipedrive for attempts in doubt, by outcome.",
		}, []string{"outcome"}),
		latency: f.NewHistogram(prometheus.HistogramOpts{
			Name: "gistdeal_publication_to_deal_seconds",
			Help: "Time from the publication of a gist at GitHub until Pipedrive confirmed its deal, with all pauses, approvals and spent quotas. " +
				"Not counted: gists that a user's first scan found or that are older than the tracking of their user, and deals that were adopted.",
			Buckets: delayBuckets(),
		}),
	}
}

// delayBuckets returns the bounds of the times from publications to deals in seconds.
func delayBuckets() []float64 {
	seconds := make([]float64, len(gistdeal.DelayBuckets))
	for i, bound := range gistdeal.DelayBuckets {
		seconds[i] = bound.Seconds()
	}
	return seconds
}

// Reset forgets the attempts in doubt: another process may have decided about
// them before this one became the leader.
func (p *Pusher) Reset() { p.inDoubt.reset() }

// Ready reports whether the account is that of the database, and nothing keeps requests back.
func (p *Pusher) Ready() bool {
	return p.account.Load() != nil && p.Reconciler.CaughtUp() && !p.Backoff.Active() && !p.Faults.Active()
}

// Run connects to the account, catches up, and then pushes due deals, until ctx
// ends. A refusal of all work begins the backoff, and the work starts again after
// it. The outcomes of deals that were sent are recorded until Stopping is closed.
// It returns an error only for a mistake that a person has to correct.
func (p *Pusher) Run(ctx context.Context) error {
	connected := false
	for known := (orders{}); p.awaitTry(ctx, known); {
		known = p.readOrders(ctx, known)
		ended := stopped{stage: StageConnect}
		if !connected {
			ended.cost, ended.err = p.connect(ctx)
			connected = ended.err == nil
			if connected {
				p.Backoff.Succeeded(StageQuota)
			}
		}
		if ended.err == nil && !p.Reconciler.CaughtUp() {
			cost, err := p.catchUp(ctx)
			ended.cost, ended.err = ended.cost+cost, err
		}
		if ended.err == nil {
			ended.err = p.loadInDoubt(ctx)
		}
		if ended.err == nil {
			p.succeeded(StageConnect)
			before, cost := p.forbidden.total(), ended.cost
			ended = p.pushAll(ctx)
			if p.forbidden.total() == before {
				ended.cost += cost // Connecting again has led to nothing.
			}
			p.run.end(ctx, ended.err)
		}
		if ctx.Err() != nil {
			if gistdeal.KindOf(ended.err) == gistdeal.Limited {
				p.begin(ended) // A limit outlasts this process.
			}
			break
		}
		if _, ok := errors.AsType[*OtherCompanyError](ended.err); ok {
			return ended.err
		}
		if errors.Is(ended.err, errTargetChanged) || errors.Is(ended.err, errCatalogWanted) {
			connected, p.relist = false, errors.Is(ended.err, errCatalogWanted)
			continue
		}
		if p.relist = errors.Is(ended.err, gistdeal.ErrRule); p.relist {
			connected = false // Connecting again pauses the rule, if it still needs what is gone.
			continue
		}
		p.begin(ended)
		connected = connected && !needsConnect(ended.err)
	}
	return nil
}

// catchUp adopts the deals that the database does not know. It returns the cost of the
// request that failed: the next try goes on there.
func (p *Pusher) catchUp(ctx context.Context) (cost float64, err error) {
	ctx, spent := gistdeal.WithPurpose(ctx, gistdeal.PurposeCatchUp)
	err = p.Reconciler.CatchUp(ctx, StageConnect)
	if spent.All() > spent.Last() {
		p.Backoff.Succeeded(StageConnect) // It went on before it failed.
		p.Backoff.Succeeded(StageQuota)
	}
	return spent.Last(), err
}

// begin begins the backoff, from Pipedrive or after a fault of our own.
func (p *Pusher) begin(ended stopped) {
	backoff := p.Backoff
	if gistdeal.OwnFault(ended.err) {
		backoff = p.Faults
	}
	if errors.Is(ended.err, gistdeal.ErrQuotaSpent) {
		ended.stage = StageQuota
	}
	if gistdeal.KindOf(ended.err) != gistdeal.Limited { // The client spaces the tries at a limit.
		backoff.Charge(ended.cost)
	}
	backoff.Begin(ended.stage, ended.err)
}

// succeeded ends the backoffs that stage began.
func (p *Pusher) succeeded(stage string) {
	p.Backoff.Succeeded(stage)
	p.Faults.Succeeded(stage)
}

// needsConnect reports whether the account has to be read again after err: a person may
// have changed the key, a field or the pipeline. That costs tokens, and is in vain if the
// cause passes by itself or lies beyond what connect reads.
func needsConnect(err error) bool {
	if gistdeal.OwnFault(err) {
		return false
	}
	switch gistdeal.KindOf(err) {
	case gistdeal.Limited, gistdeal.Temporary, gistdeal.Unknown:
		return false
	}
	return !errors.Is(err, gistdeal.ErrForbidden) && !errors.Is(err, gistdeal.ErrNoDeal)
}
