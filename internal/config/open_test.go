package config_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestOnlyACommandThatMayCreateADatabaseDoes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "test.db")
	c := config.Config{Database: config.Database(file)}
	refused := func() {
		t.Helper()
		for name, open := range map[string]func(context.Context) (*store.Store, error){"read": c.ReadDatabase, "open": c.OpenDatabase} {
			if _, err := open(t.Context()); gistdeal.KindOf(err) != gistdeal.NotFound || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "GISTDEAL_DATABASE_URL") {
				t.Errorf("%s: %v, want an error that names the file and the variable", name, err)
			}
		}
	}
	refused()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a file was made: %v", err)
	}
	testenv.Must(t, os.WriteFile(file, nil, 0o600)) // as left by a killed first start
	refused()
	db, err := c.CreateDatabase(t.Context())
	testenv.Must(t, err)
	_, err = db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(t, err)
	testenv.Must(t, db.Close())
	changed, err := c.OpenDatabase(t.Context())
	testenv.Must(t, err)
	testenv.Must(t, changed.Set(t.Context(), "a", "b"))
	testenv.Must(t, changed.Close())
	read, err := c.ReadDatabase(t.Context())
	testenv.Must(t, err)
	defer read.Close()
	if logins, err := read.Logins(t.Context()); err != nil || len(logins) != 1 {
		t.Errorf("it has the users %v, %v", logins, err)
	}
	if err := read.Set(t.Context(), "a", "b"); err == nil {
		t.Error("a database that is opened for reading was written")
	}
}

func TestAnEmptyPostgreSQLDatabaseIsFilledOnlyByCommandsThatCreate(t *testing.T) {
	t.Parallel()
	c := config.Config{Database: config.Database(pgtest.URL(t))}
	for name, open := range map[string]func(context.Context) (*store.Store, error){"read": c.ReadDatabase, "open": c.OpenDatabase} {
		if _, err := open(t.Context()); gistdeal.KindOf(err) != gistdeal.NotFound || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("%s: %v, want that it is empty", name, err)
		}
	}
	db, err := c.CreateDatabase(t.Context())
	testenv.Must(t, err)
	testenv.Must(t, db.Close())
	db, err = c.OpenDatabase(t.Context())
	testenv.Must(t, err)
	testenv.Must(t, db.Close())
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("some notes, which are long enough to be no header of a database: "+string(make([]byte, 5000))), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Config{Database: config.Database(file)}
	if _, err := c.ReadDatabase(t.Context()); err == nil {
		t.Error("notes were read as a database")
	}
	if _, err := c.OpenDatabase(t.Context()); err == nil {
		t.Error("notes were opened as a database")
	}
}
