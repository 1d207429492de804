package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"gistdeal"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"

	"github.com/google/go-cmp/cmp"
)

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{})
		testenv.Must(t, err)
		s.Exec(t, `INSERT INTO migrations VALUES (999)`)
		testenv.Must(t, s.Close())
		if _, err = store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "newer gistdeal") {
			t.Errorf("got %v, want it to name a newer gistdeal", err)
		}
	})
}

func TestADatabaseOfAnotherProgramIsRefusedAndUnchanged(t *testing.T) {
	t.Parallel()
	statements := []string{`CREATE TABLE users (name TEXT)`, `INSERT INTO users (name) VALUES ('bob')`}
	refused := func(t *testing.T, driver, database string) {
		t.Helper()
		db, err := sql.Open(driver, database)
		testenv.Must(t, err)
		for _, statement := range statements {
			_, err := db.ExecContext(t.Context(), statement)
			testenv.Must(t, err)
		}
		testenv.Must(t, db.Close())
		for range 2 {
			if _, err := store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program's tables; set") {
				t.Errorf("open: %v, want a refusal with a hint", err)
			}
			if _, err := store.OpenReadOnly(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program's tables") {
				t.Errorf("open for reading: %v, want a refusal", err)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "theirs.db")
		refused(t, "sqlite", path)
		content, err := os.ReadFile(path)
		testenv.Must(t, err)
		if journal := content[18]; journal != 1 {
			t.Errorf("the journal version of the file is %d, want 1 as before", journal)
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		refused(t, "pgx", pgtest.URL(t))
	})
}

func TestProcessesMayOpenANewDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := store.Open(context.Background(), database, store.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestAMigrationKeepsAllRowsAndRunsOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "octocat", 1)
		save(t, s, u.ID, gists("a", 2))
		sending := claim(t, s, "me")
		before, err := s.View(t.Context(), "", "octocat")
		testenv.Must(t, err)
		deals, err := s.Deals(t.Context(), gistdeal.DealFilter{}, "", gistdeal.DealPlace{}, 10)
		testenv.Must(t, err)

		// It would fail if it ran twice.
		const last = `ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT 'new'`
		testenv.Must(t, s.Migrate(t, last))
		testenv.Must(t, s.Migrate(t, last))

		after, err := s.Deals(t.Context(), gistdeal.DealFilter{}, "", gistdeal.DealPlace{}, 10)
		testenv.Must(t, err)
		if diff := cmp.Diff(deals, after); diff != "" || len(after) != 2 {
			t.Errorf("deals differ after the migration:\n%s", diff)
		}
		if got, err := s.User(t.Context(), u.ID); err != nil || !reflect.DeepEqual(got, u) {
			t.Errorf("the user is %+v, error %v; want %+v", got, err, u)
		}
		testenv.Must(t, s.Refuse(t.Context(), sending, "bad", noon))
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
		testenv.Must(t, s.Migrate(t, first)) // It would fail if the column existed.
	})
}
