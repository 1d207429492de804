package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheLast3000GistsOfTheFeedAreRemembered(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		unseen := func(asked ...string) string {
			t.Helper()
			ids, err := s.UnseenInFeed(t.Context(), asked)
			testenv.Must(t, err)
			return fmt.Sprint(slices.Sorted(maps.Keys(ids)))
		}
		f, err := s.Feed(t.Context())
		if err != nil || f != (gistdeal.Feed{}) {
			t.Fatalf("%+v, %v: want no state before the first reading", f, err)
		}
		for round := range 4 {
			ids := make([]string, 1000)
			for i := range ids {
				ids[i] = fmt.Sprintf("%d-%d", round, i)
			}
			f.ETag, f.ReadAt = fmt.Sprint(round), noon.Add(time.Duration(round)*time.Minute)
			testenv.Must(t, s.RecordFeed(t.Context(), f, append(ids, "always")))
			f, err = s.Feed(t.Context())
			testenv.Must(t, err)
		}
		if f.ETag != "3" || !f.ReadAt.Equal(noon.Add(3*time.Minute)) {
			t.Errorf("the state is %+v", f)
		}
		if got := unseen("0-999", "1-2", "1-3", "3-999", "always", "new"); got != "[0-999 1-2 new]" {
			t.Errorf("unseen are %s, want those before the last 3,000 and the new one", got)
		}
	})
}

func TestTheFeedMattersToActiveUsersAfterTheirFirstScanAndToGoneOnes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for id, login := range []string{"unscanned", "active", "paused", "removed", "gone"} {
			track(t, s, login, int64(id))
			if id > 0 {
				testenv.Must(t, s.Scanned(t.Context(), int64(id), gistdeal.Listing{}, noon, noon.Add(time.Hour)))
			}
		}
		_, err := s.PauseUsers(t.Context(), noon, 2)
		testenv.Must(t, err)
		_, err = s.RemoveUsers(t.Context(), noon, 3)
		testenv.Must(t, err)
		testenv.Must(t, s.Gone(t.Context(), 4, false, "deleted", noon, noon.Add(time.Hour)))
		users, err := s.UsersInFeed(t.Context(), []int64{0, 1, 2, 3, 4, 99})
		testenv.Must(t, err)
		logins := []string{}
		for _, u := range users {
			logins = append(logins, u.Login)
		}
		if slices.Sort(logins); fmt.Sprint(logins) != "[active gone]" {
			t.Errorf("the feed matters to %v", logins)
		}
		testenv.Must(t, s.DueNow(t.Context(), noon, 4))
		testenv.Must(t, s.AllDueNow(t.Context(), noon))
		due, err := s.DueUsers(t.Context(), noon, noon.Add(24*time.Hour), 10)
		testenv.Must(t, err)
		if len(due) != 3 {
			t.Errorf("%d users are due, want the two active ones and the gone one", len(due))
		}
	})
}
