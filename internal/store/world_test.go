package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// both runs a test on a new database of each kind.
func both(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	each(t, func(t *testing.T, database string) { test(t, open(t, database)) })
}

// each runs a test with the name of a new database of each kind.
func each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "odd name?#%.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

// open opens a database until the end of the test.
func open(t *testing.T, database string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{Lease: leaseTTL})
	testenv.Must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// track tracks a user.
func track(t *testing.T, s *store.Store, login string, id int64) gistdeal.User {
	t.Helper()
	u, err := s.Track(t.Context(), gistdeal.Account{ID: id, Login: login}, gistdeal.BackfillAll, noon)
	testenv.Must(t, err)
	return u
}

// gists returns n gists, newest first.
func gists(prefix string, n int) []gistdeal.Gist {
	all := make([]gistdeal.Gist, n)
	for i := range all {
		all[i] = gistdeal.Gist{
			ID: fmt.Sprintf("%s%04d", prefix, n-i), Description: "same for all",
			CreatedAt: noon.Add(-time.Duration(i+1) * time.Hour), UpdatedAt: noon, Files: []gistdeal.File{{Name: "a.go", RawURL: "https://example.test/a.go"}},
		}
	}
	return all
}

// save stores gists whose deals are claimed in the order of their ids.
func save(t *testing.T, s *store.Store, userID int64, all []gistdeal.Gist) int {
	t.Helper()
	queued, err := s.SaveGists(t.Context(), userID, all, gistdeal.NewGistPolicy{Order: gistdeal.PushOldest, Total: len(all)}, noon)
	testenv.Must(t, err)
	return queued
}

// catchUp records a catch-up, so that all queued deals can be claimed.
func catchUp(t *testing.T, s *store.Store) {
	t.Helper()
	_, err := s.BeginCatchUp(t.Context(), false)
	testenv.Must(t, err)
	testenv.Must(t, s.EndCatchUp(t.Context(), noon))
}

func claim(t *testing.T, s *store.Store, owner string) gistdeal.Claim {
	t.Helper()
	c, ok, err := s.Claim(t.Context(), owner, noon, noon)
	if err != nil || !ok {
		t.Fatalf("claim: ok = %v, error %v", ok, err)
	}
	return c
}

func recordCreated(t *testing.T, s *store.Store, c gistdeal.Claim, dealID int64) {
	t.Helper()
	if known, err := s.RecordCreated(t.Context(), c, dealID, noon); !known || err != nil {
		t.Fatalf("created: recorded %v, error %v", known, err)
	}
}

func giveBack(t *testing.T, s *store.Store, c gistdeal.Claim, reason string) bool {
	t.Helper()
	ok, err := s.GiveBack(t.Context(), c, reason, false, noon.Add(time.Minute))
	testenv.Must(t, err)
	return ok
}

// deal returns the only gist of user 1.
func deal(t *testing.T, s *store.Store) gistdeal.Deal {
	t.Helper()
	all, err := s.GistsOf(t.Context(), 1)
	if err != nil || len(all) != 1 {
		t.Fatalf("gists of user 1: %d, error %v; want 1", len(all), err)
	}
	return all[0].Deal
}
