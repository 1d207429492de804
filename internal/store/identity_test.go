package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestADatabaseKeepsItsIdentityAndABackupHasNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{})
		testenv.Must(t, err)
		defer s.Close()
		first, err := s.Identity(t.Context())
		testenv.Must(t, err)
		if again, err := s.Identity(t.Context()); err != nil || again != first || len(first) < 20 {
			t.Errorf("first %q, then %q, %v", first, again, err)
		}
		if !store.IsFile(database) {
			return
		}
		copied := filepath.Join(t.TempDir(), "copy.db")
		_, err = store.Backup(t.Context(), database, copied)
		testenv.Must(t, err)
		backup, err := store.OpenReadOnly(t.Context(), copied, store.Options{})
		testenv.Must(t, err)
		defer backup.Close()
		if value, err := backup.Setting(t.Context(), gistdeal.KeyIdentity); err != nil || value != "" {
			t.Errorf("the backup has the identity %q, %v", value, err)
		}
	})
}

func TestASchemaOfAnotherVersionNamesTheNextStep(t *testing.T) {
	t.Parallel()
	for schema, want := range map[store.Schema][]string{
		{Version: 1, Known: 1}: nil,
		{Version: 2, Known: 1}: {"x.db belongs to a newer gistdeal", "upgrade this gistdeal", "`gistdeal restore`"},
		{Version: 1, Known: 2}: {"x.db belongs to an older gistdeal", "start `gistdeal serve` of this version"},
	} {
		err := schema.Check("x.db")
		if (err == nil) != (want == nil) {
			t.Errorf("%+v: %v", schema, err)
		}
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%+v: %v does not say %q", schema, err, text)
			}
		}
	}
}

func TestTheSizeOfADatabaseIsKnown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{})
		testenv.Must(t, err)
		defer s.Close()
		if size, err := s.Size(t.Context()); err != nil || size < 100<<10 {
			t.Errorf("%d bytes, %v", size, err)
		}
	})
}
