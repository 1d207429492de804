package runlog_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/runlog"
)

// table keeps runs in memory; each write takes a while.
type table struct {
	mu    sync.Mutex
	takes time.Duration
	away  bool
	runs  []gistdeal.Run
}

func (t *table) StartRun(ctx context.Context, r gistdeal.Run) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	time.Sleep(t.takes)
	if t.away {
		return 0, errors.New("the database is away")
	}
	id := int64(len(t.runs) + 1)
	r.ID = id
	t.runs = append(t.runs, r)
	if ctx.Err() != nil {
		return 0, ctx.Err() // The commit was done when the context ended.
	}
	return id, nil
}

func (t *table) UpdateRun(_ context.Context, r gistdeal.Run) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	time.Sleep(t.takes)
	t.runs[r.ID-1] = r
	return nil
}

func begin(t *table) *runlog.Run {
	return runlog.New(t, slog.New(slog.DiscardHandler), time.Now).Begin(gistdeal.RunScan, 1, nil)
}

func TestARunThatEndsDuringItsFirstWriteIsNotLeftInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &table{takes: 3 * time.Second}
		r := begin(db)
		time.Sleep(2 * time.Second) // The first write began after one second.
		r.End(t.Context(), nil)
		if len(db.runs) != 1 || db.runs[0].Ended.IsZero() {
			t.Errorf("rows %+v, want one that has ended", db.runs)
		}
	})
}

func TestARunWhoseContextEndsDuringItsFirstWriteHasOneRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &table{away: true}
		r := begin(db)
		r.Keep()
		time.Sleep(2 * time.Second) // The write after one second failed.
		db.mu.Lock()
		db.away, db.takes = false, 3*time.Second
		db.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.Note(ctx, func(r *gistdeal.Run) { r.Gists++ })
		r.End(t.Context(), nil)
		if len(db.runs) != 1 || db.runs[0].Ended.IsZero() || db.runs[0].Gists != 1 {
			t.Errorf("rows %+v, want one that has ended", db.runs)
		}
	})
}

func TestAShortRunIsWrittenOnlyIfItIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		begin(db).End(t.Context(), nil)
		if len(db.runs) != 0 {
			t.Errorf("rows %+v, want none", db.runs)
		}
		kept := begin(db)
		kept.Keep()
		kept.End(t.Context(), errors.New("refused"))
		if len(db.runs) != 1 || db.runs[0].Problem != "refused" || db.runs[0].Ended.IsZero() {
			t.Errorf("rows %+v, want one that failed", db.runs)
		}
	})
}

func TestThePartsOfARunAddUpInIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := runlog.New(&table{}, slog.New(slog.DiscardHandler), time.Now)
		sum := log.Begin(gistdeal.RunSweep, 0, nil)
		for range 3 {
			part := log.Begin(gistdeal.RunScan, 1, sum)
			part.Note(t.Context(), func(r *gistdeal.Run) { r.Gists += 2; r.Requests++ })
			part.End(t.Context(), nil)
		}
		if n := sum.Numbers(); n.Gists != 6 || n.Requests != 3 {
			t.Errorf("%+v, want 6 gists and 3 requests", n)
		}
		sum.End(t.Context(), nil)
	})
}
