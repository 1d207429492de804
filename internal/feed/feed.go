package feed

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/rules"
)

const (
	// passes is how often the feed is read again because it moved meanwhile.
	passes = 3
	// absentRetry is the delay after GitHub answered that it has no feed, as an Enterprise
	// Server may.
	absentRetry = time.Hour
	// reachEvery is how often the reach of the feed is measured, for one request.
	reachEvery = time.Hour
	// stage names the feed in the backoff from GitHub.
	stage = "feed"
)

// GitHub is the part of GitHub's client that a Reader uses.
type GitHub interface {
	// Feed returns the pages of the feed, the latest gists first. It yields nothing if
	// page 1 still has the given ETag.
	Feed(ctx context.Context, etag string, l *gistdeal.Listing) iter.Seq2[[]gistdeal.FeedGist, error]
	// FeedReach returns the age of the feed's last page; 0 if the feed has fewer pages
	// than it may have.
	FeedReach(ctx context.Context) (time.Duration, error)
	rules.GitHub
	// Ready returns nil if a request may be sent, or a Limited error.
	Ready() error
}

// Store is the part of the database that a Reader uses.
type Store interface {
	gistdeal.SettingReader
	loop.Pauses
	Feed(ctx context.Context) (gistdeal.Feed, error)
	UnseenInFeed(ctx context.Context, ids []string) (map[string]bool, error)
	UsersInFeed(ctx context.Context, ids []int64) ([]gistdeal.User, error)
	RecordFeed(ctx context.Context, f gistdeal.Feed, seen []string) error
	SaveGists(ctx context.Context, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (int, error)
	HasDeal(ctx context.Context, gistID string) (bool, error)
	QueueScanned(ctx context.Context, userID int64, limits gistdeal.ApprovalLimits, now time.Time) (queued, awaiting int, err error)
	DueNow(ctx context.Context, now time.Time, userID int64) error
	AllDueNow(ctx context.Context, now time.Time) error
}

// Options are the settings of a Reader; the zero value works.
type Options struct {
	Interval time.Duration               // between two readings; 0 means that the feed is not read
	Limits   gistdeal.ApprovalLimits     // of deals that are queued without approval
	Locked   map[gistdeal.Setting]string // settings that only the configuration decides, by variable
	Order    gistdeal.PushOrder          // of the deals of one user
	Now      func() time.Time            // the clock of the rows; nil means time.Now
	Log      *slog.Logger                // nil means none
	Metrics  prometheus.Registerer
}

// Reader reads the feed. Run is for the leader.
type Reader struct {
	store   Store
	github  GitHub
	backoff *loop.Backoff // from GitHub
	queued  loop.Signal   // set when a deal may be due
	options Options
	log     *slog.Logger
	now     func() time.Time
	rules   *rules.Current

	metrics  metrics
	measured time.Time // when the reach was measured
}

type metrics struct {
	pages, gaps prometheus.Counter
	gists       *prometheus.CounterVec
	read, reach prometheus.Gauge
}

// New returns a Reader. It sets queued whenever it has stored a deal row.
func New(s Store, g GitHub, backoff *loop.Backoff, queued loop.Signal, o Options) *Reader {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := promauto.With(o.Metrics)
	return &Reader{store: s, github: g, backoff: backoff, queued: queued, options: o, log: o.Log, now: o.Now, rules: rules.NewCurrent(s), metrics: metrics{
		pages: f.NewCounter(prometheus.CounterOpts{Name: "gistdeal_feed_pages_total", Help: "Pages of the feed of new public gists that were read."}),
		gists: f.NewCounterVec(prometheus.CounterOpts{Name: "gistdeal_feed_gists_total", Help: "Gists first seen in the feed; tracked says whether a tracked user owns them."}, []string{"tracked"}),
		gaps:  f.NewCounter(prometheus.CounterOpts{Name: "gistdeal_feed_gaps_total", Help: "How often gists may have left the feed before they were read."}),
		read:  f.NewGauge(prometheus.GaugeOpts{Name: "gistdeal_feed_read_timestamp_seconds", Help: "When the feed was last read completely, in Unix time."}),
		reach: f.NewGauge(prometheus.GaugeOpts{Name: "gistdeal_feed_reach_seconds", Help: "How far the feed reaches back: a longer downtime leaves a gap. 0 if unknown."}),
	}}
}

// Run reads the feed every interval, until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	if r.options.Interval <= 0 {
		return nil
	}
	for failing := false; r.backoff.Wait(ctx) && loop.WaitForPerson(ctx, r.store, r.log, "feed"); {
		delay, err := r.options.Interval, r.github.Ready()
		if err == nil {
			err = r.Read(ctx)
		}
		switch kind := gistdeal.KindOf(err); {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failing = false
		case kind == gistdeal.NotFound:
			delay = absentRetry
			r.log.Info("no feed", "meaning", "GitHub has no list of public gists here; new gists are noticed by scans alone", "retry_in", delay.String())
		default:
			r.refused(err)
			if delay = max(delay, gistdeal.RetryAfter(err)); !failing {
				r.log.Warn("feed not read", "error", err, "retry_in", delay.String())
			}
			failing = true
		}
		if !loop.Sleep(ctx, delay) {
			return nil
		}
	}
	return nil
}

// refused begins the backoff from GitHub if err concerns all requests.
func (r *Reader) refused(err error) {
	kind := gistdeal.KindOf(err)
	if kind == gistdeal.Unauthorized || kind == gistdeal.Limited && r.github.Ready() != nil {
		r.backoff.Begin(stage, err)
	}
}

// Read reads the feed once, until a page has only gists that were seen before, and stores
// those of tracked users. After an error the next Read begins with the same page.
func (r *Reader) Read(ctx context.Context) error {
	state, err := r.store.Feed(ctx)
	if err != nil {
		return err
	}
	p := &reading{Reader: r, state: state, seen: map[string]bool{}}
	etag := state.ETag
	for range passes {
		if err := p.pass(ctx, etag); err != nil {
			return err
		}
		// A gist that is deleted meanwhile moves the ones below it up, and so one from each
		// page to the page above, which was read already.
		if !p.open {
			break
		}
		etag = ""
	}
	r.backoff.Succeeded(stage)
	return p.end(ctx)
}
