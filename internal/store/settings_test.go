package store_test

import (
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
