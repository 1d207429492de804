package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestFilesThatCannotBeADatabaseAreExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	testenv.Must(t, os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600))
	for path, want := range map[string]string{
		text:                                  "is not a SQLite database",
		dir:                                   "is a directory; name a file",
		filepath.Join(dir, "missing", "x.db"): "check that its directory exists",
	} {
		_, err := store.Open(t.Context(), path, store.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %s: %v, want %q in it", path, err, want)
		}
	}
	if content, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(content), "not a database") {
		t.Errorf("the file was changed: %v", err)
	}
}

func TestTwoNamesOfOneDatabaseShareOneLease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, filepath.Join(dir, "test.db"))
	testenv.Must(t, os.Symlink(filepath.Join(dir, "test.db"), filepath.Join(dir, "other.db")))
	second := open(t, filepath.Join(dir, "other.db"))
	if take(t, first) == nil || take(t, second) != nil {
		t.Error("want the lease by the first name and a refusal by the second")
	}
}

func TestOnlyItsUserMayReadTheDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	open(t, path)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		testenv.Must(t, err)
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", info.Name(), got)
		}
	}
}

func TestAFileThatOthersMayReadIsClosedToThemWithALogLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	other := open(t, path)
	track(t, other, "alice", 1)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		testenv.Must(t, os.Chmod(path+suffix, 0o664)) //nolint:gosec // The mode that is to be mended.
	}
	logs := &testenv.Log{}
	s, err := store.Open(t.Context(), path, store.Options{Log: logs.Logger()})
	testenv.Must(t, err)
	defer s.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + suffix); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v; want mode 600", suffix, info.Mode(), err)
		}
	}
	if n := logs.Count("database file closed to other accounts"); n != 3 {
		t.Errorf("%d log lines, want 3", n)
	}
}

func TestEveryCommitIsSyncedBeforeItReturns(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "test.db"))
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		if got := s.Pragma(t, pragma); got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}
