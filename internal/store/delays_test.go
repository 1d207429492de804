package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheTimeFromAPublicationToItsDealIsCountedOnceByDay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		published := noon.Add(time.Minute)
		for i, policy := range []gistdeal.NewGistPolicy{{Feed: true}, {}, {First: true}, {}} {
			g := gists(string(rune('a'+i)), 1)
			g[0].CreatedAt = published
			if i == 3 {
				g[0].CreatedAt = noon.Add(-time.Hour) // Before its user was tracked.
			}
			_, err := s.SaveGists(t.Context(), 1, g, policy, published)
			testenv.Must(t, err)
		}
		catchUp(t, s)
		day := noon.AddDate(0, 0, 1)
		for i := range 4 {
			c := claim(t, s, "me")
			at := published.Add(100 * time.Second)
			if c.Draft.GistID == "b0001" {
				at = day
			}
			for range 2 { // The second one says what is recorded already.
				if known, err := s.RecordCreated(t.Context(), c, int64(i+1), at); !known || err != nil {
					t.Errorf("recorded %v, %v", known, err)
				}
			}
		}
		days, err := s.Delays(t.Context(), noon)
		testenv.Must(t, err)
		want := []gistdeal.DelayDay{
			gistdeal.NewDelayDay("2026-11-23", map[int]int{4: 1}),  // from the feed, within 2 minutes
			gistdeal.NewDelayDay("2026-11-24", map[int]int{11: 1}), // from a scan, within a day
		}
		if diff := cmp.Diff(want, days); diff != "" {
			t.Error(diff)
		}
		if days, err := s.Delays(t.Context(), day); err != nil || len(days) != 1 {
			t.Errorf("since the second day: %+v, %v", days, err)
		}
	})
}
