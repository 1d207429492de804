package transfer_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/transfer"
	"gistdeal/internal/store"
)

func TestABackupIsAWholeDatabaseAndReplacesNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "test.db")
	db, err := store.Open(t.Context(), file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now()); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "copy.db")
	f, err := transfer.Backup(t.Context(), file, target)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Size() != f.Bytes || f.File != target || f.Database != file {
		t.Errorf("%+v, file %v, %v", f, info, err)
	}
	copied, err := store.OpenReadOnly(t.Context(), target, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if logins, err := copied.Logins(t.Context()); err != nil || len(logins) != 1 {
		t.Errorf("the copy has the users %v, %v", logins, err)
	}
	if _, err := transfer.Backup(t.Context(), file, target); err == nil {
		t.Error("a backup replaced a file")
	}
}

func TestACopyGoesFromAFileToPostgreSQLOnly(t *testing.T) {
	t.Parallel()
	const postgres = "postgres://gistdeal@127.0.0.1:1/x"
	file := filepath.Join(t.TempDir(), "none.db")
	for _, tt := range []struct {
		from, to string
		kind     gistdeal.Kind
	}{
		{postgres, file, gistdeal.Invalid},
		{file, file, gistdeal.Invalid},
		{file, postgres, gistdeal.NotFound}, // and the file is not created
	} {
		if _, _, err := transfer.Copy(t.Context(), tt.from, tt.to, "", nil); gistdeal.KindOf(err) != tt.kind {
			t.Errorf("%s to %s: %v, want the kind %v", tt.from, tt.to, err, tt.kind)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the source was created: %v", err)
	}
}
