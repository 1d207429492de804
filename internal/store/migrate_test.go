package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
)

func TestAMigrationKeepsAllRowsAndRunsOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "octocat", 1)
		save(t, s, u.ID, gists("a", 2))
		sending := claim(t, s, "me")
		before, err := s.View(t.Context(), "", "octocat")
		must(t, err)
		deals, err := s.Deals(t.Context(), gistdeal.DealFilter{}, "", 10)
		must(t, err)

		// A second run of it would fail.
		const last = `ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT 'new'`
		must(t, s.Migrate(t, last))
		must(t, s.Migrate(t, last))

		after, err := s.Deals(t.Context(), gistdeal.DealFilter{}, "", 10)
		must(t, err)
		if diff := cmp.Diff(deals, after); diff != "" || len(after) != 2 {
			t.Errorf("deals differ after the migration:\n%s", diff)
		}
		if got, err := s.User(t.Context(), u.ID); err != nil || got != u {
			t.Errorf("user is %+v, error %v; want %+v", got, err, u)
		}
		must(t, s.Refuse(t.Context(), sending, "bad", noon))
		if v, err := s.View(t.Context(), "", "octocat"); err != nil || v.Version == before.Version {
			t.Errorf("version %d after a change of a deal, error %v: triggers do not run", v.Version, err)
		}
	})
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		const first = `ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT ''`
		if err := s.Migrate(t, first+`; INSERT INTO nowhere VALUES (1)`); err == nil {
			t.Fatal("a migration with a mistake did not fail")
		}
		must(t, s.Migrate(t, first)) // It would fail if the column were there.
	})
}
