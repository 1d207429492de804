package reconcile

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

// Pipedrive is the part of Pipedrive's client that a Reconciler uses.
type Pipedrive interface {
	Deals(ctx context.Context, at *gistdeal.DealList) iter.Seq2[gistdeal.RemoteDeal, error]
	Deal(ctx context.Context, id int64) (gistdeal.RemoteDeal, error)
	DeleteDeal(ctx context.Context, id int64) error
	Reserve(ctx context.Context) error
	Now() (now time.Time, known bool)
}

// Store is the part of the database that a Reconciler uses.
type Store interface {
	BeginCatchUp(ctx context.Context, first bool) (known time.Time, err error)
	EndCatchUp(ctx context.Context, remote time.Time) error
	Adopt(ctx context.Context, one map[string]int64, seen map[string][]gistdeal.RemoteDeal, now time.Time) ([]string, error)
	AdoptInDoubt(ctx context.Context, c gistdeal.Claim, dealID int64, living []int64, lookups int, now time.Time) (bool, error)
	ForeignDeals(ctx context.Context, deals map[string]int64) ([]string, error)
	ReplacedDeals(ctx context.Context) (map[int64]bool, error)
	ResentGists(ctx context.Context, then time.Time) (gists []string, since time.Time, err error)
	MarkRechecked(ctx context.Context, gists []string, then, now time.Time) error

	RequestAudit(ctx context.Context, o gistdeal.AuditRequest) error
	NextAudit(ctx context.Context) (o gistdeal.AuditRequest, ok bool, last time.Time, err error)
	EndAudit(ctx context.Context, a gistdeal.Audit) error
	ArchivedDeals(ctx context.Context) (archived []gistdeal.RemoteDeal, known time.Time, err error)
	AuditRows(ctx context.Context, after string, limit int) ([]gistdeal.AuditRow, error)
	Explain(ctx context.Context, gistID string) (gistdeal.History, error)
	ReplaceDuplicates(ctx context.Context, living map[string][]int64, now time.Time) error
	DuplicateOf(ctx context.Context, dealID int64) (string, error)
	ForgetDuplicate(ctx context.Context, dealID int64) error
	Relink(ctx context.Context, gistID string, from, to int64, now time.Time) (bool, error)
	Queue(ctx context.Context, gistIDs []string, now time.Time) ([]string, error)
	Recreate(ctx context.Context, gistID string, dealID int64, now time.Time) (bool, error)
}

// Options are the settings of a Reconciler; the zero value works.
type Options struct {
	ResendAfter  time.Duration    // how long a deal must be missing before it is sent again; 0 means 10 min
	RecheckAfter time.Duration    // how long after a deal was sent again its gist is checked for a duplicate; 0 means 1 h
	OnRequest    bool             // no audit each night, for tests that run at any time of day
	Now          func() time.Time // the clock of the rows; nil means time.Now
	Log          *slog.Logger     // nil means none
}

// Reconciler compares Pipedrive with the database and changes only the database,
// except for DeleteDeal on an operator's request.
type Reconciler struct {
	store     Store
	pipedrive Pipedrive
	backoff   *loop.Backoff // from Pipedrive
	queued    loop.Signal   // set when a deal may be due
	options   Options
	log       *slog.Logger
	now       func() time.Time

	caughtUp    atomic.Bool
	commitsLost atomic.Bool // by the database, since the last catch-up
	again       again
	readings    readings
	listCost    loop.Allowance // of failed lookups and audits
	recheckedAt time.Time      // only used by Watch
}

// New returns a Reconciler. It shares Pipedrive's backoff with the pushes, and
// sets queued when it has queued a deal or decided about an attempt in doubt.
func New(s Store, p Pipedrive, backoff *loop.Backoff, queued loop.Signal, o Options) *Reconciler {
	if o.ResendAfter == 0 {
		o.ResendAfter = 10 * time.Minute
	}
	if o.RecheckAfter == 0 {
		o.RecheckAfter = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Reconciler{store: s, pipedrive: p, backoff: backoff, queued: queued, options: o, log: o.Log, now: o.Now}
}

// ResendAfter returns how long a deal must be missing before it is sent again.
func (r *Reconciler) ResendAfter() time.Duration { return r.options.ResendAfter }

// Reset forgets that the database caught up with Pipedrive: a new leader starts, or
// the database has failed with err and may come back without its last commits.
func (r *Reconciler) Reset(err error) {
	if errors.Is(err, gistdeal.ErrCommitsLost) {
		r.commitsLost.Store(true)
	}
	r.caughtUp.Store(false)
}

// CaughtUp reports whether CatchUp has succeeded since the last Reset.
func (r *Reconciler) CaughtUp() bool { return r.caughtUp.Load() }

// RemoteNow returns the time on Pipedrive's clock. Before the first answer that
// is a day before ours: a lookup that begins too early only takes longer.
func (r *Reconciler) RemoteNow() time.Time {
	now, known := r.pipedrive.Now()
	if !known {
		now = now.Add(-24 * time.Hour)
	}
	return now
}

// EarliestNow returns a time on Pipedrive's clock that is not later than now, also if a
// proxy changes the Date of its answers, or a local clock was set: lists that begin at a
// time that EarliestNow returned are complete from then on.
func (r *Reconciler) EarliestNow() time.Time {
	remote, local := r.RemoteNow(), r.now()
	if local.Before(remote) {
		return local
	}
	return remote
}
