package store_test

import (
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestOfManyChangesFromOneVersionOfTheSettingsOneIsStored(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for range 3 {
			version, err := s.SettingsVersion(t.Context())
			testenv.Must(t, err)
			var stored atomic.Int32
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					err := s.ChangeSettings(t.Context(), map[gistdeal.Setting]string{gistdeal.SettingDailyLimit: strconv.Itoa(i + 1)}, version, noon)
					if err == nil {
						stored.Add(1)
					} else if gistdeal.KindOf(err) != gistdeal.Conflict {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if n := stored.Load(); n != 1 {
				t.Errorf("%d changes from version %s were stored, want one", n, version)
			}
		}
		testenv.Must(t, s.ChangeSettings(t.Context(), map[gistdeal.Setting]string{gistdeal.SettingDailyLimit: ""}, "", noon))
	})
}

func TestOfSeveralSettingsAllAreStoredOrNone(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "gistdeal.db"))
	s.Exec(t, `CREATE TRIGGER spoil BEFORE INSERT ON settings WHEN NEW.name = 'b' AND NEW.value = 'bad' BEGIN SELECT RAISE(ABORT, 'spoiled'); END`)
	for _, value := range []string{"good", "bad"} {
		if err := s.SetAll(t.Context(), map[string]string{"a": value, "b": value}); (err != nil) != (value == "bad") {
			t.Errorf("%s: %v", value, err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if value, err := s.Setting(t.Context(), name); err != nil || value != "good" {
			t.Errorf("%s is %q, %v", name, value, err)
		}
	}
}
