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
	"gistdeal/internal/testing/testenv"
)

func TestABackupIsConsistentDuringWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := open(t, path)
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
			// Each write saves a gist and its deal. No copy may have one without the other.
			if _, err := s.SaveGists(t.Context(), u.ID, gists(fmt.Sprint("w", i, "-"), 1), gistdeal.NewGistPolicy{}, noon); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 5 {
		to := filepath.Join(dir, fmt.Sprint("copy", i, ".db"))
		size, err := store.Backup(t.Context(), path, to)
		testenv.Must(t, err)
		info, err := os.Stat(to)
		testenv.Must(t, err)
		if info.Size() != size || info.Mode().Perm() != 0o600 {
			t.Errorf("%d bytes, mode %v, reported %d bytes", info.Size(), info.Mode(), size)
		}
		copied := open(t, to)
		all, err := copied.GistsOf(t.Context(), u.ID)
		testenv.Must(t, err)
		n, err := copied.Counts(t.Context())
		testenv.Must(t, err)
		if n.Deals[gistdeal.DealQueued] != len(all) {
			t.Errorf("%d gists and %d deals", len(all), n.Deals[gistdeal.DealQueued])
		}
	}
	close(stop)
	writer.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part-*")); len(left) > 0 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestABackupOverwritesNoFileAndLeavesNoneAfterAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, to := filepath.Join(dir, "test.db"), filepath.Join(dir, "copy.db")
	if _, err := store.Backup(t.Context(), path, to); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("without a database: %v", err)
	}
	testenv.Must(t, os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600))
	if _, err := store.Backup(t.Context(), path, to); err == nil {
		t.Error("a backup of a file that is not a database succeeded")
	}
	testenv.Must(t, os.Remove(path))
	open(t, path)
	testenv.Must(t, os.WriteFile(to, []byte("precious"), 0o600))
	if _, err := store.Backup(t.Context(), path, to); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("a backup over an existing file: %v", err)
	}
	text, err := os.ReadFile(to)
	if err != nil || string(text) != "precious" {
		t.Errorf("the file contains %q, error %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part-*")); len(left) > 0 {
		t.Errorf("files left behind: %v", left)
	}
}
