package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheHistoryOfAGistListsEachAttempt(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "octocat", 1)
		one := gists("a", 1)
		if _, err := s.SaveGists(t.Context(), 1, one, gistdeal.NewGistPolicy{First: true}, noon); err != nil {
			t.Fatal(err)
		}
		catchUp(t, s)
		c, _, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "you", noon.Add(time.Hour), noon.Add(2*time.Hour))
		testenv.Must(t, err)
		if ok, err := s.AdoptInDoubt(t.Context(), c, 7, []int64{7, 8}, 2, noon.Add(3*time.Hour)); !ok || err != nil {
			t.Fatalf("adopt: %v, error %v", ok, err)
		}
		got, err := s.Explain(t.Context(), "a0001")
		testenv.Must(t, err)
		one[0].UserID, one[0].Seq = 1, 1
		want := gistdeal.History{
			Deal: gistdeal.Deal{GistID: "a0001", State: "created", DealID: 7}, Gist: one[0], User: u,
			NoticedAt: noon, NoticedBy: gistdeal.NoticedByFirstScan,
			Attempts: []gistdeal.Attempt{
				{N: 1, Owner: "me", SentAt: noon, RemoteAt: noon, EndedAt: noon.Add(time.Hour), Outcome: "not_found", Lookups: 3},
				{N: 2, Owner: "you", SentAt: noon.Add(time.Hour), RemoteAt: noon.Add(2 * time.Hour), EndedAt: noon.Add(3 * time.Hour), Outcome: "adopted", DealID: 7, Lookups: 2},
			},
			Duplicates: []gistdeal.DuplicateDeal{{DealID: 8, NoticedAt: noon.Add(3 * time.Hour)}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAHistoryMayHaveADealWithoutAGist(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		if _, err := s.Adopt(t.Context(), map[string]int64{"b": 9}, nil, noon); err != nil {
			t.Fatal(err)
		}
		history, err := s.Explain(t.Context(), "b")
		if err != nil || history.DealID != 9 || history.Gist.Seq != 0 || history.User.ID != 0 {
			t.Errorf("the history is %+v, error %v; want deal 9 only", history, err)
		}
		if _, err := s.Explain(t.Context(), "c"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("an unknown gist: %v, want not found", err)
		}
	})
}
