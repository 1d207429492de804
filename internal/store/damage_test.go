package store_test

import (
	"crypto/rand"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

const pageSize = 4096

// damage overwrites all pages of a SQLite file except the first ones with random bytes, as
// a failing disk does. Whatever the log holds is in the file before.
func damage(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	testenv.Must(t, err)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	testenv.Must(t, err)
	info, err := f.Stat()
	testenv.Must(t, err)
	junk := make([]byte, info.Size()/2)
	_, _ = rand.Read(junk)
	_, err = f.WriteAt(junk, (info.Size()-int64(len(junk)))/pageSize*pageSize)
	testenv.Must(t, err)
	testenv.Must(t, f.Close())
}

// filled returns the path of a closed database with the gists of a user.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	testenv.Must(t, err)
	track(t, s, "octocat", 1)
	save(t, s, 1, gists("a", 2000))
	testenv.Must(t, s.Close())
	return path
}

func TestADamagedFileIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	path := filled(t)
	damage(t, path)
	s, err := store.Open(t.Context(), path, store.Options{Check: time.Minute})
	if err == nil {
		testenv.Must(t, s.Close())
	}
	if err == nil || !strings.Contains(err.Error(), "damaged; restore a backup") || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v, want one that names the file, the damage and the remedy", err)
	}
}

func TestTheCheckAtTheStartEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filled(t), store.Options{Check: time.Nanosecond})
	testenv.Must(t, err)
	testenv.Must(t, s.Close())
}

func TestAFileThatIsDamagedLaterIsReportedForGoodAndWrittenNoMore(t *testing.T) {
	t.Parallel()
	path, log := filled(t), &testenv.Log{}
	s, err := store.Open(t.Context(), path, store.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = s.Close() }) // Closing a damaged file may fail.
	testenv.Must(t, s.Ping(t.Context()))
	damage(t, path)
	wantDamage := func(what string, err error) {
		t.Helper()
		if gistdeal.KindOf(err) != gistdeal.Temporary || !gistdeal.OwnFault(err) || !strings.Contains(err.Error(), "the database file is damaged: stop gistdeal and restore a backup") {
			t.Errorf("%s: the error is %v, of kind %v", what, err, gistdeal.KindOf(err))
		}
	}
	_, err = s.GistsOf(t.Context(), 1)
	wantDamage("read", err)
	for range 2 {
		wantDamage("ping", s.Ping(t.Context()))
		wantDamage("write", s.Set(t.Context(), "name", "value"))
		_, _, err = s.Claim(t.Context(), "me", noon, noon)
		wantDamage("claim", err)
	}
	if log.Count("database damaged") != 1 || log.Count("database unavailable") != 0 {
		t.Errorf("want one line about the damage:\n%s", log)
	}
}
