package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// withUser opens a SQLite database and tracks a user in it.
func withUser(t *testing.T, path, login string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	track(t, s, login, int64(len(login)))
	return s
}

// logins returns the tracked users in a database file.
func logins(t *testing.T, path string) string {
	t.Helper()
	s, err := store.OpenReadOnly(t.Context(), path, store.Options{})
	testenv.Must(t, err)
	defer s.Close()
	all, err := s.Logins(t.Context())
	testenv.Must(t, err)
	return fmt.Sprint(all)
}

func TestARestoreReplacesTheDatabaseAndKeepsTheFormerOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	backup, aside := path+".backup", path+".old"
	s := withUser(t, path, "alice")
	_, err := store.Backup(t.Context(), path, backup)
	testenv.Must(t, err)
	track(t, s, "robert", 9)                      // Its row is in the log that no checkpoint has emptied.
	for _, suffix := range []string{"", "-wal"} { // As after a kill; Close would empty the log.
		text, err := os.ReadFile(path + suffix)
		testenv.Must(t, err)
		testenv.Must(t, os.WriteFile(path+".killed"+suffix, text, 0o600))
	}
	testenv.Must(t, s.Close())
	for _, suffix := range []string{"", "-wal"} {
		testenv.Must(t, os.Rename(path+".killed"+suffix, path+suffix))
	}
	testenv.Must(t, store.Restore(t.Context(), path, backup, aside))
	if got := logins(t, path); got != "[alice]" {
		t.Errorf("the restored database has %s", got)
	}
	if got := logins(t, aside); got != "[alice robert]" {
		t.Errorf("the former database has %s", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the restored database is %v, %v", info, err)
	}
	if got := logins(t, backup); got != "[alice]" {
		t.Errorf("the backup has %s", got)
	}
}

func TestARestoreRefusesWhatWouldDoHarmAndChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "test.db"), filepath.Join(dir, "backup.db")
	testenv.Must(t, withUser(t, path, "alice").Close())
	testenv.Must(t, withUser(t, backup, "robert").Close())
	file := func(name string, content []byte) string {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		return filepath.Join(dir, name)
	}
	whole, err := os.ReadFile(backup)
	testenv.Must(t, err)
	newer := filepath.Join(dir, "newer.db")
	s := withUser(t, newer, "carol")
	s.Exec(t, `INSERT INTO migrations VALUES (999)`)
	testenv.Must(t, s.Close())
	for from, want := range map[string]string{
		path:                          "is the database itself",
		filepath.Join(dir, "none.db"): "there is no database file",
		file("empty.db", nil):         "is no backup of gistdeal",
		file("text.db", []byte(strings.Repeat("text ", 1000))): "not a SQLite database",
		file("half.db", whole[:len(whole)/2]):                  "damaged",
		newer:                                                  "belongs to a newer gistdeal",
	} {
		if err := store.Restore(t.Context(), path, from, path+".old"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filepath.Base(from), err, want)
		}
	}
	running := withUser(t, path, "alice")
	lease, err := running.TryLease(t.Context())
	if err != nil || lease == nil {
		t.Fatalf("lease %v, %v", lease, err)
	}
	if err := store.Restore(t.Context(), path, backup, path+".old"); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), "a gistdeal runs on") {
		t.Errorf("while a gistdeal runs: %v", err)
	}
	testenv.Must(t, running.Release())
	if _, err := store.CheckRestore(t.Context(), "postgres://me@127.0.0.1:1/x", backup); err == nil || !strings.Contains(err.Error(), "pg_restore") {
		t.Errorf("to PostgreSQL: %v", err)
	}
	if got := logins(t, path); got != "[alice]" {
		t.Errorf("the database has %s", got)
	}
	if _, err := os.Stat(path + ".old"); !os.IsNotExist(err) {
		t.Errorf("a former database is kept: %v", err)
	}
}

func TestAMigrationKeepsACopyOfTheLastSchemaUntilAPersonIsErased(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s := withUser(t, path, "alice")
	older := store.MigrationCopy(path, 0)
	testenv.Must(t, os.WriteFile(older, nil, 0o600))
	beside := path + ".schema-new"
	testenv.Must(t, os.WriteFile(beside, nil, 0o600))
	testenv.Must(t, s.Migrate(t, `ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT ''`))
	kept := store.MigrationCopy(path, 1)
	if got := logins(t, kept); got != "[alice]" {
		t.Errorf("the copy has %s", got)
	}
	if _, err := os.Stat(older); !os.IsNotExist(err) {
		t.Errorf("the copy of an earlier migration: %v", err)
	}
	before, err := os.Stat(kept)
	testenv.Must(t, err)
	testenv.Must(t, s.Migrate(t, `ALTER TABLE users ADD COLUMN note TEXT NOT NULL DEFAULT ''`))
	if after, err := os.Stat(kept); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a start without a migration changed the copy: %v", err)
	}
	testenv.Must(t, s.Scrub(context.WithoutCancel(t.Context())))
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("the copy after an erasure: %v", err)
	}
	if _, err := os.Stat(beside); err != nil {
		t.Errorf("a file of somebody else: %v", err)
	}
}
