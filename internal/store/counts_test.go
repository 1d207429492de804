package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestCountsIncludeTheLongestWait(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		empty := store.Counts{Users: map[gistdeal.UserState]int{}, Deals: map[gistdeal.DealState]int{}}
		got, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if diff := cmp.Diff(empty, got); diff != "" {
			t.Errorf("an empty database: %s", diff)
		}
		track(t, s, "alice", 1)
		track(t, s, "bob", 2)
		if _, err := s.PauseUsers(t.Context(), time.Now(), 1); err != nil {
			t.Fatal(err)
		}
		testenv.Must(t, s.ScanFailed(t.Context(), 2, "away", noon.Add(time.Minute)))
		save(t, s, 1, gists("a", 3))
		if _, ok, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "me", noon.Add(time.Hour), noon); !ok || err != nil {
			t.Fatalf("reclaim: %v, error %v", ok, err)
		}
		giveBack(t, s, claim(t, s, "me"), "limit")
		ask(t, s, "carol", gistdeal.RequestTrack)
		if _, err := s.PausePushes(t.Context(), "", noon); err != nil {
			t.Fatal(err)
		}
		want := store.Counts{
			Users: map[gistdeal.UserState]int{"active": 1, "paused": 1}, Deals: map[gistdeal.DealState]int{"sending": 1, "queued": 2},
			ScanRequests: 1, OldestQueued: noon, OldestSending: noon, OldestDue: noon.Add(time.Minute), PushesPaused: true,
		}
		got, err = s.Counts(t.Context())
		testenv.Must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
