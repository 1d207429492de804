package retention_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gistdeal/internal/retention"
)

// history is a table whose old rows go in parts, each of which takes a second.
type history struct {
	rows, old, part int
	before          time.Time
	err             error
}

func (h *history) delete(_ context.Context, before time.Time) iter.Seq2[int, error] {
	h.before = before
	return func(yield func(int, error) bool) {
		for h.old > 0 {
			time.Sleep(time.Second)
			n := min(h.part, h.old)
			h.old, h.rows = h.old-n, h.rows-n
			if !yield(n, h.err) {
				return
			}
		}
	}
}

// Size is retention.Store's.
func (h *history) Size(context.Context) (int64, error) { return int64(h.rows) * 100, nil }

// Rows is retention.Store's.
func (h *history) Rows(context.Context, string) (int64, error) { return int64(h.rows), nil }

func TestADeletionRestsBetweenItsParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, metrics, begin := &history{rows: 1500, old: 1200, part: 500}, prometheus.NewRegistry(), time.Now()
		r := retention.New(h, retention.Options{Metrics: metrics}, retention.Rule{Table: "attempts", Keep: 24 * time.Hour, Delete: h.delete})
		if err := r.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 30*time.Second {
			t.Errorf("three parts of a second each took %v, want nine tenths of rest", took)
		}
		if want := begin.Add(-24 * time.Hour); !h.before.Equal(want) {
			t.Errorf("rows before %v were deleted, want before %v", h.before, want)
		}
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, f := range families {
			values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
		for name, want := range map[string]float64{"gistdeal_database_bytes": 30_000, "gistdeal_deleted_rows_total": 1200, "gistdeal_history_rows": 300} {
			if values[name] != want {
				t.Errorf("%s is %v, want %v", name, values[name], want)
			}
		}
	})
}

func TestRowsThatAreKeptForGoodAreOnlyCounted(t *testing.T) {
	t.Parallel()
	h := &history{rows: 5, old: 5, part: 5}
	r := retention.New(h, retention.Options{}, retention.Rule{Table: "runs", Delete: h.delete})
	if err := r.Once(t.Context()); err != nil || h.rows != 5 {
		t.Errorf("%d rows are left, %v; want all 5", h.rows, err)
	}
}

func TestADeletionIsTriedAgainAnHourAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &history{rows: 5, old: 5, part: 1, err: errors.New("disk full")}
		r := retention.New(h, retention.Options{}, retention.Rule{Table: "runs", Keep: time.Hour, Delete: h.delete})
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
		defer cancel()
		if err := r.Run(ctx); err != nil || h.rows != 3 {
			t.Errorf("%d rows are left, %v; want that two tries deleted one each", h.rows, err)
		}
	})
}
