package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
)

func TestADatabaseThatDoesNotExistReadsAsAnEmptyOneAndIsNotCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := config.Config{Database: config.Database(filepath.Join(dir, "test.db"))}
	db, err := c.ReadDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if logins, err := db.Logins(t.Context()); err != nil || len(logins) != 0 {
		t.Errorf("it has the users %v, %v", logins, err)
	}
	if leader, err := db.HasLeader(t.Context()); err != nil || leader {
		t.Errorf("it has a leader: %t, %v", leader, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files were made: %v, %v", files, err)
	}
}

func TestADatabaseIsCreatedForACommandThatWrites(t *testing.T) {
	t.Parallel()
	c := config.Config{Database: config.Database(filepath.Join(t.TempDir(), "test.db"))}
	db, err := c.OpenDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	read, err := c.ReadDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if logins, err := read.Logins(t.Context()); err != nil || len(logins) != 1 {
		t.Errorf("it has the users %v, %v", logins, err)
	}
	if err := read.Set(t.Context(), "a", "b"); err == nil {
		t.Error("a database that is opened for reading was written")
	}
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
