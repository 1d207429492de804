package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
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
			if _, err := store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program's tables; name") {
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
