package retention

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal/internal/loop"
)

const (
	every = time.Hour
	// share is how many times as long as its last transaction a deletion rests, so that it
	// never has more than a small part of the database's time.
	share = 9
	least = 10 * time.Millisecond
)

// Rule says how long the rows of a table are kept.
type Rule struct {
	Table string
	Keep  time.Duration // 0 means for good
	// Delete deletes the rows that are older than a time and not needed, in small
	// transactions, and yields the number of rows that each has deleted.
	Delete func(ctx context.Context, before time.Time) iter.Seq2[int, error]
}

// Store is the part of the database that tells sizes.
type Store interface {
	Size(ctx context.Context) (bytes int64, err error)
	Rows(ctx context.Context, table string) (n int64, err error)
}

// Options are the settings of a Remover; the zero value works.
type Options struct {
	Now     func() time.Time // the clock of the rows; nil means time.Now
	Log     *slog.Logger     // nil means none
	Metrics prometheus.Registerer
}

// Remover deletes old rows by rules.
type Remover struct {
	store   Store
	rules   []Rule
	log     *slog.Logger
	now     func() time.Time
	deleted *prometheus.CounterVec
	rows    *prometheus.GaugeVec
	size    prometheus.Gauge
}

// New returns a Remover.
func New(s Store, o Options, rules ...Rule) *Remover {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := promauto.With(o.Metrics)
	return &Remover{
		store: s, rules: rules, log: o.Log, now: o.Now,
		deleted: f.NewCounterVec(prometheus.CounterOpts{Name: "gistdeal_deleted_rows_total", Help: "Rows of the history that were deleted because of their age."}, []string{"table"}),
		rows:    f.NewGaugeVec(prometheus.GaugeOpts{Name: "gistdeal_history_rows", Help: "Rows of the history, counted once an hour by the leader."}, []string{"table"}),
		size:    f.NewGauge(prometheus.GaugeOpts{Name: "gistdeal_database_bytes", Help: "The size of the database on its disk, measured once an hour by the leader."}),
	}
}

// Run deletes old rows once an hour, until ctx ends. Only the leader should run it; two do no
// harm.
func (r *Remover) Run(ctx context.Context) error {
	for {
		if err := r.Once(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("old rows not deleted", "error", err)
		}
		if !loop.Sleep(ctx, every) {
			return nil
		}
	}
}

// Once applies each rule once, and measures what is left.
func (r *Remover) Once(ctx context.Context) error {
	for _, rule := range r.rules {
		if err := r.apply(ctx, rule); err != nil {
			return err
		}
		n, err := r.store.Rows(ctx, rule.Table)
		if err != nil {
			return err
		}
		r.rows.WithLabelValues(rule.Table).Set(float64(n))
	}
	bytes, err := r.store.Size(ctx)
	if err == nil {
		r.size.Set(float64(bytes))
	}
	return err
}

func (r *Remover) apply(ctx context.Context, rule Rule) error {
	if rule.Keep == 0 {
		return nil
	}
	before, deleted, begin := r.now().Add(-rule.Keep), 0, time.Now()
	for n, err := range rule.Delete(ctx, before) {
		if err != nil {
			return err
		}
		deleted += n
		r.deleted.WithLabelValues(rule.Table).Add(float64(n))
		if !loop.Sleep(ctx, max(least, share*time.Since(begin))) {
			return ctx.Err()
		}
		begin = time.Now()
	}
	if deleted > 0 {
		r.log.Info("old rows deleted", "table", rule.Table, "rows", deleted, "older_than", before.UTC().Format(time.RFC3339))
	}
	return nil
}
