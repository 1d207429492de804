package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestAReadOnlyStoreLeavesTheDatabaseUnchanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		if store.IsFile(database) {
			if _, err := store.OpenReadOnly(t.Context(), database, store.Options{}); gistdeal.KindOf(err) != gistdeal.NotFound {
				t.Errorf("no file: %v", err)
			}
			if _, err := os.Stat(database); !os.IsNotExist(err) {
				t.Errorf("a file was created: %v", err)
			}
			testenv.Must(t, os.WriteFile(database, nil, 0o600)) // as left by a killed first start
		}
		r := readOnly(t, database)
		if v, err := r.Schema(t.Context()); err != nil || v.Version != 0 || v.Current() {
			t.Errorf("an empty database: %+v, %v", v, err)
		}
		s := open(t, database)
		track(t, s, "alice", 1)
		r = readOnly(t, database)
		if v, err := r.Schema(t.Context()); err != nil || !v.Current() {
			t.Errorf("a new database: %+v, %v", v, err)
		}
		if err := r.CheckIntegrity(t.Context()); err != nil {
			t.Errorf("the check reports %v", err)
		}
		if _, err := r.UserByLogin(t.Context(), "ALICE"); err != nil {
			t.Errorf("reading fails: %v", err)
		}
		if err := r.Set(t.Context(), "a", "b"); err == nil {
			t.Error("a write succeeded")
		}
	})
}

func readOnly(t *testing.T, database string) *store.Store {
	t.Helper()
	r, err := store.OpenReadOnly(t.Context(), database, store.Options{})
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, r.Close()) })
	return r
}

func TestALeaderIsVisibleWithoutTheLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s := open(t, database)
		r := readOnly(t, database)
		want := func(want bool) {
			t.Helper()
			if worked, err := r.HasLeader(t.Context()); err != nil || worked != want {
				t.Errorf("a leader is seen: %v, error %v, want %v", worked, err, want)
			}
		}
		want(false)
		if lease, err := s.TryLease(t.Context()); lease == nil || err != nil {
			t.Fatalf("no lease: %v", err)
		}
		want(true)
		// The leader may check too and keeps its lease.
		if worked, err := s.HasLeader(t.Context()); err != nil || !worked {
			t.Errorf("the leader sees %v, error %v", worked, err)
		}
		want(true)
		testenv.Must(t, s.Release())
		want(false)
		if lease, err := s.TryLease(t.Context()); lease == nil || err != nil {
			t.Errorf("the check took the lease: %v", err)
		}
	})
}

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	sqlite, err := filepath.Glob("schema/sqlite/*.sql")
	testenv.Must(t, err)
	for _, file := range sqlite {
		if _, err := os.Stat(filepath.Join("schema/postgres", filepath.Base(file))); err != nil {
			t.Errorf("%s has no counterpart: %v", file, err)
		}
	}
	if twins, _ := filepath.Glob("schema/postgres/*.sql"); len(sqlite) == 0 || len(twins) != len(sqlite) {
		t.Errorf("%d migrations for SQLite, %d for PostgreSQL", len(sqlite), len(twins))
	}
}
