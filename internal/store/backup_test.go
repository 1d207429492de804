package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
)

func TestABackupIsOfOneInstantWhileWritesGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openFile(t, path)
	u := track(t, s, "alice", 1)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			// Each write is a gist and its deal: no copy may have one without the other.
			if _, err := s.SaveGists(t.Context(), u.ID, gists(fmt.Sprint("w", i, "-"), 1), gistdeal.Noticing{}, noon); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 5 {
		to := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		size, err := store.Backup(t.Context(), path, to)
		must(t, err)
		info, err := os.Stat(to)
		must(t, err)
		if info.Size() != size || info.Mode().Perm() != 0o600 {
			t.Errorf("%d bytes, mode %v, said %d bytes", info.Size(), info.Mode(), size)
		}
		copied := openFile(t, to)
		all, err := copied.GistsOf(t.Context(), u.ID)
		must(t, err)
		n, err := copied.Counts(t.Context())
		must(t, err)
		if n.Deals[gistdeal.DealFound] != len(all) {
			t.Errorf("%d gists and %d deals", len(all), n.Deals[gistdeal.DealFound])
		}
	}
	close(stop)
	writer.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestABackupReplacesNoFileAndLeavesNoneBehindAfterAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, to := filepath.Join(dir, "test.db"), filepath.Join(dir, "copy.db")
	if _, err := store.Backup(t.Context(), path, to); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("without a database: %v", err)
	}
	must(t, os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600))
	if _, err := store.Backup(t.Context(), path, to); err == nil {
		t.Error("a backup of what is no database")
	}
	must(t, os.Remove(path))
	openFile(t, path)
	must(t, os.WriteFile(to, []byte("precious"), 0o600))
	if _, err := store.Backup(t.Context(), path, to); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("over a file: %v", err)
	}
	text, err := os.ReadFile(to)
	if err != nil || string(text) != "precious" {
		t.Errorf("the file says %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadingOnlyLeavesTheDatabaseAsItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	if _, err := store.OpenReadOnly(t.Context(), path); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file was made: %v", err)
	}
	must(t, os.WriteFile(path, nil, 0o600)) // what the first start left when it was killed
	r := readOnly(t, path)
	if v, err := r.Schema(t.Context()); err != nil || v.Version != 0 || v.Current() {
		t.Errorf("an empty file: %+v, %v", v, err)
	}
	s := openFile(t, path)
	track(t, s, "alice", 1)
	r = readOnly(t, path)
	if v, err := r.Schema(t.Context()); err != nil || !v.Current() {
		t.Errorf("a new database: %+v, %v", v, err)
	}
	if err := r.Sound(t.Context()); err != nil {
		t.Errorf("not sound: %v", err)
	}
	if _, err := r.UserByLogin(t.Context(), "ALICE"); err != nil {
		t.Errorf("nothing can be read: %v", err)
	}
	if err := r.Set(t.Context(), "a", "b"); err == nil {
		t.Error("something was written")
	}
}

func readOnly(t *testing.T, path string) *store.Store {
	t.Helper()
	r, err := store.OpenReadOnly(t.Context(), path)
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

func TestWhetherSomebodyWorksCanBeSeenWithoutTheLease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openFile(t, path)
	r := readOnly(t, path)
	want := func(want bool) {
		t.Helper()
		if worked, err := r.Worked(); err != nil || worked != want {
			t.Errorf("worked: %v, %v, want %v", worked, err, want)
		}
	}
	want(false)
	if held, err := s.TryLease(); !held || err != nil {
		t.Fatalf("no lease: %v", err)
	}
	want(true)
	must(t, s.Release())
	want(false)
	if held, err := s.TryLease(); !held || err != nil {
		t.Errorf("the look kept the lease: %v", err)
	}
}
