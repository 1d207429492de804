package scan

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/probe"
	"gistdeal/internal/rules"
	"gistdeal/internal/runlog"
)

// GitHub is the part of GitHub's client that a Scanner uses.
type GitHub interface {
	User(ctx context.Context, login string) (gistdeal.Account, error)
	UserByID(ctx context.Context, id int64) (gistdeal.Account, error)
	Gists(ctx context.Context, login, etag string, l *gistdeal.Listing) iter.Seq2[gistdeal.GistPage, error]
	rules.GitHub
	// Ready returns nil if a scan may begin, or a Limited error.
	Ready() error
}

// Store is the part of the database that a Scanner uses.
type Store interface {
	loop.Pauses
	Setting(ctx context.Context, name string) (string, error)
	Track(ctx context.Context, a gistdeal.Account, policy gistdeal.Backfill, now time.Time) (gistdeal.User, error)
	User(ctx context.Context, id int64) (gistdeal.User, error)
	UserByLogin(ctx context.Context, login string) (gistdeal.User, error)
	UsersByLogin(ctx context.Context, logins []string) (map[string]gistdeal.User, error)
	Rename(ctx context.Context, a gistdeal.Account, now time.Time) error
	Gone(ctx context.Context, userID int64, loginTaken bool, problem string, now, next time.Time) error

	RequestScan(ctx context.Context, now time.Time, requests ...gistdeal.ScanRequest) ([]gistdeal.ScanRequest, error)
	PendingRequests(ctx context.Context, least gistdeal.RequestKind, limit int) ([]gistdeal.ScanRequest, error)
	Answer(ctx context.Context, a gistdeal.ScanRequest, answer gistdeal.RequestResult, now time.Time) (bool, error)
	RequestResults(ctx context.Context, requests ...gistdeal.ScanRequest) (map[string]gistdeal.RequestResult, error)
	RequeueRequest(ctx context.Context, a gistdeal.ScanRequest, problem string, now time.Time) error

	BringForward(ctx context.Context, interval time.Duration, now time.Time) (int64, error)
	DueUsers(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error)
	DueCount(ctx context.Context, now, latest time.Time) (int, error)
	SaveGists(ctx context.Context, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (int, error)
	AddRequestedTags(ctx context.Context, u gistdeal.User) (gistdeal.User, error)
	Tags(ctx context.Context, userID int64) ([]string, error)
	HasDeal(ctx context.Context, gistID string) (bool, error)
	HasGists(ctx context.Context, userID int64) (bool, error)
	MarkGone(ctx context.Context, userID int64, listed []string, now time.Time) error
	QueueScanned(ctx context.Context, userID int64, limits gistdeal.ApprovalLimits, now time.Time) (queued, awaiting int, err error)
	Scanned(ctx context.Context, userID int64, l gistdeal.Listing, now, next time.Time) error
	ScanFailed(ctx context.Context, userID int64, problem string, next time.Time) error
}

// Options are the settings of a Scanner; the zero value works.
type Options struct {
	Interval   time.Duration               // between two scans of a user; 0 means 3 h
	Backfill   gistdeal.Backfill           // of users that are tracked from now on; "" means all
	Limits     gistdeal.ApprovalLimits     // of deals that are queued without approval
	Locked     map[gistdeal.Setting]string // settings that only the configuration decides, by variable
	Background GitHub                      // for scans that nobody waits for; nil means the same as for the others
	Prober     *probe.Prober               // compares due users in batches; nil means that each of them is scanned
	Order      gistdeal.PushOrder          // of the deals of one user; "" means the newest first
	Now        func() time.Time            // the clock of the rows; nil means time.Now
	Log        *slog.Logger                // nil means none
	Metrics    prometheus.Registerer
}

// Scanner reads users' gists. Track and Ask work in every process; the loops
// Sweep and ServeRequests are for the leader.
type Scanner struct {
	store      Store
	github     GitHub
	background GitHub
	prober     *probe.Prober
	runs       *runlog.Log
	backoff    *loop.Backoff // from GitHub
	queued     loop.Signal   // set when a deal may be due
	options    Options
	log        *slog.Logger
	now        func() time.Time
	stopping   <-chan struct{}

	scans    singleflight.Group // at most one scan of a user at a time, by id
	rules    *rules.Current
	requests requests
	failures failures
	waiting  time.Time // until when the log says that the sweep waits
	ended    *prometheus.CounterVec
	sent     prometheus.Counter
}

// New returns a Scanner. It sets queued whenever it has stored a deal row.
// Requests end with a Temporary error once stopping is closed.
func New(s Store, g GitHub, runs *runlog.Log, backoff *loop.Backoff, queued loop.Signal, stopping <-chan struct{}, o Options) *Scanner {
	if o.Interval == 0 {
		o.Interval = 3 * time.Hour
	}
	if o.Backfill == "" {
		o.Backfill = gistdeal.BackfillAll
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
	f := promauto.With(o.Metrics)
	return &Scanner{
		store: s, github: g, background: o.Background, prober: o.Prober, runs: runs, backoff: backoff, queued: queued, options: o, log: o.Log, now: o.Now,
		stopping: stopping, requests: newRequests(), rules: rules.NewCurrent(s),
		ended: f.NewCounterVec(prometheus.CounterOpts{Name: "gistdeal_scans_total", Help: "Scans of a user, by outcome."}, []string{"outcome"}),
		sent:  f.NewCounter(prometheus.CounterOpts{Name: "gistdeal_scan_github_requests_total", Help: "Requests to GitHub that scans sent."}),
	}
}

// firstScan returns the policy of users that are tracked from now on.
func (s *Scanner) firstScan(ctx context.Context) (gistdeal.Backfill, error) {
	policy, err := gistdeal.Chosen(ctx, s.store, gistdeal.SettingBackfill, string(s.options.Backfill), s.options.Locked)
	return gistdeal.Backfill(policy), err
}

// approvalLimits returns the current limits on deals without approval.
func (s *Scanner) approvalLimits(ctx context.Context) (gistdeal.ApprovalLimits, error) {
	return gistdeal.CurrentLimits(ctx, s.store, s.options.Limits, s.options.Locked)
}

// Status describes in words the reading of GitHub, and any wait with its end.
func (s *Scanner) Status() string {
	said, err := "in backoff", s.github.Ready()
	if err == nil {
		said, err = "on, but sweeps wait", s.background.Ready()
	}
	if err == nil || s.backoff.Active() {
		return s.backoff.Status().String()
	}
	return fmt.Sprintf("%s: %v; next try at %s", said, err, time.Now().Add(gistdeal.RetryAfter(err)).UTC().Format(time.RFC3339))
}
