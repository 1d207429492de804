package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"

	"github.com/google/go-cmp/cmp"
)

func TestSavingTheSameGistsAgainChangesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "Octocat", 1)
		if got := save(t, s, 1, gists("a", 3)); got != 3 {
			t.Errorf("the first save queued %d deals, want 3", got)
		}
		before, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if got := save(t, s, 1, gists("a", 3)); got != 0 {
			t.Errorf("the second save queued %d deals, want 0", got)
		}
		after, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		if before[0].ID != "a0003" || before[2].ID != "a0001" {
			t.Errorf("the order is %s ... %s, want the newest first", before[0].ID, before[2].ID)
		}
	})
}

func TestGistsAreOrderedByCreationTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 4)
		save(t, s, 1, all[:2])
		save(t, s, 1, all[2:]) // the next page: older gists, saved later
		got, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		for i, g := range got {
			if g.ID != all[i].ID {
				t.Errorf("gist %d is %s, want %s", i, g.ID, all[i].ID)
			}
		}
	})
}

func TestAnEditedGistKeepsItsPlaceAndItsDeal(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		one := gists("a", 1)
		save(t, s, 1, one)
		c := claim(t, s, "me")
		recordCreated(t, s, c, 77)
		one[0].Description = "edited"
		if got := save(t, s, 1, one); got != 0 {
			t.Errorf("an edit queued %d deals, want 0", got)
		}
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if all[0].Description != "edited" || all[0].Seq != 1 || all[0].DealID != 77 {
			t.Errorf("got %+v, want the new text, seq 1 and deal 77", all[0])
		}
	})
}

func TestTextThatPostgreSQLRefusesIsCleaned(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		one := gists("a", 1)
		one[0].Description = "a\x00b\xff'; DROP TABLE gists; -- 🦑"
		save(t, s, 1, one)
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if want := "ab\uFFFD'; DROP TABLE gists; -- 🦑"; all[0].Description != want {
			t.Errorf("description is %q, want %q", all[0].Description, want)
		}
	})
}

func TestTheFirstScanWithoutBackfillSkipsOlderGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 3)
		all[0].CreatedAt = noon.Add(time.Minute)
		queued, err := s.SaveGists(t.Context(), 1, all, gistdeal.NewGistPolicy{First: true, SkipBefore: noon}, noon)
		if err != nil || queued != 1 {
			t.Fatalf("queued %d, error %v; want 1", queued, err)
		}
		counts, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if counts.Deals[gistdeal.DealSkipped] != 2 || counts.Deals[gistdeal.DealQueued] != 1 {
			t.Errorf("deals are %v, want 2 skipped and 1 queued", counts.Deals)
		}
	})
}
