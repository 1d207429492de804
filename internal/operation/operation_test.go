package operation_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/operation"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// both runs a test on a new database of each kind.
func both(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

// work works off the operations of a database until stop is called.
func work(t *testing.T, db *store.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = operation.New(db, nil).Run(ctx, nil) }) // It returns nil.
	return func() {
		cancel()
		running.Wait()
	}
}

// ended returns an operation once it has ended.
func ended(t *testing.T, db *store.Store, id string) (op gistdeal.Operation) {
	t.Helper()
	testenv.Eventually(t, "the operation has ended", func() (done bool) {
		var err error
		op, err = db.Operation(t.Context(), id)
		testenv.Must(t, err)
		return !op.EndedAt.IsZero()
	})
	return op
}

func TestTwoLeadersChangeEachUserOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, database string) {
		db := stack.OpenAt(t, database)
		const users = 200
		for i := range users {
			_, err := db.Track(t.Context(), gistdeal.Account{ID: int64(i + 1), Login: fmt.Sprintf("user%d", i)}, gistdeal.BackfillNone, time.Now())
			testenv.Must(t, err)
		}
		operations := operation.New(db, nil)
		all, err := operations.Matching(t.Context(), gistdeal.UserFilter{}, 0)
		testenv.Must(t, err)
		ctx := gistdeal.WithCaller(t.Context(), gistdeal.Caller{Name: "ann", Source: gistdeal.SourceAPI, Address: "192.0.2.1"})
		op, err := operations.ChangeUsers(ctx, "pause", append(all, "nobody-here", "-bad-"), "pause")
		testenv.Must(t, err)
		// The first leader stops in the middle, and two others go on at the same time.
		stop := work(t, stack.OpenAt(t, database))
		testenv.Eventually(t, "some users are changed", func() bool {
			op, err = db.Operation(t.Context(), op.ID)
			testenv.Must(t, err)
			return op.Done > 1
		})
		stop()
		defer work(t, stack.OpenAt(t, database))()
		defer work(t, stack.OpenAt(t, database))()
		op = ended(t, db, op.ID)
		if op.Results["paused"] != users || op.Results["not_found"] != 1 || op.Results["invalid"] != 1 || op.Done != users+2 || op.Problems != 2 {
			t.Errorf("%+v, want each user paused once", op)
		}
		entries, err := db.AuditLog(t.Context(), gistdeal.AuditFilter{Actors: []string{"ann"}, Sources: []gistdeal.Source{gistdeal.SourceAPI}}, 0, 2*users)
		if err != nil || len(entries) != users || entries[0].Action != gistdeal.ActionPauseUser || entries[0].Address != "192.0.2.1" {
			t.Errorf("%d entries in the audit log, %v; want one of ann for each user", len(entries), err)
		}
	})
}

func TestAnOperationTakesTurnsWithLaterOnes(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	operations := operation.New(db, nil)
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("nobody%d", i)
	}
	long, err := operations.ChangeUsers(t.Context(), "long", many, "pause")
	testenv.Must(t, err)
	short, err := operations.ChangeUsers(t.Context(), "short", many[:10], "pause")
	testenv.Must(t, err)
	defer work(t, db)()
	short = ended(t, db, short.ID)
	if long = ended(t, db, long.ID); !short.EndedAt.Before(long.EndedAt) {
		t.Errorf("the short operation ended at %v, after the long one at %v", short.EndedAt, long.EndedAt)
	}
}

func TestAPersonThatIsErasedIsNoLongerPartOfAnOperation(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	u, err := db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "Alice"}, gistdeal.BackfillNone, time.Now())
	testenv.Must(t, err)
	operations := operation.New(db, nil)
	op, err := operations.ChangeUsers(t.Context(), "pause", []string{"https://github.com/alice", "bob"}, "pause")
	testenv.Must(t, err)
	_, err = db.RemoveUsers(t.Context(), time.Now(), u.ID)
	testenv.Must(t, err)
	_, err = db.Erase(t.Context(), u, time.Now())
	testenv.Must(t, err)
	defer work(t, db)()
	ended(t, db, op.ID)
	items, err := operations.AllItems(t.Context(), op.ID)
	if err != nil || len(items) != 2 || items[1].Input != "" || items[1].Result != "canceled" || items[0].Result != "not_found" {
		t.Errorf("%+v, %v; want alice's item empty and canceled", items, err)
	}
}
