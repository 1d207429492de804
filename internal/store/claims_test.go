package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"

	"github.com/google/go-cmp/cmp"
)

func TestManyClaimersTakeEachDealOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		const deals = 200
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", deals))
		var mu sync.Mutex
		taken := map[string]int{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					c, ok, err := s.Claim(t.Context(), "me", noon, noon)
					if err != nil {
						t.Error(err)
						return
					}
					if due, _, err := s.Due(t.Context()); !ok && (!due || err != nil) {
						return
					}
					if ok {
						mu.Lock()
						taken[c.Draft.GistID]++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		if len(taken) != deals {
			t.Errorf("%d deals were claimed, want %d", len(taken), deals)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("deal %s was claimed %d times", id, n)
			}
		}
	})
}

func TestAClaimCarriesTheDraftOfTheDeal(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "Octocat", 1)
		save(t, s, 1, gists("a", 1))
		want := gistdeal.Claim{Draft: gistdeal.Draft{GistID: "a0001", Login: "Octocat", Description: "same for all"}, Attempt: 1, Owner: "me", Since: noon}
		if diff := cmp.Diff(want, claim(t, s, "me")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnlyTheCurrentAttemptRecordsAnOutcome(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		old := claim(t, s, "old")
		now, ok, err := s.Reclaim(t.Context(), old, 3, "new", noon, noon.Add(time.Hour))
		if err != nil || !ok || now.Attempt != 2 {
			t.Fatalf("reclaim: attempt %d, ok %v, error %v; want attempt 2", now.Attempt, ok, err)
		}
		if _, ok, err := s.Reclaim(t.Context(), old, 3, "third", noon, noon.Add(time.Hour)); ok || err != nil {
			t.Errorf("a second reclaim of the same attempt: ok %v, error %v; want false", ok, err)
		}
		giveBack(t, s, old, "late")
		testenv.Must(t, s.Refuse(t.Context(), old, "late", noon))
		if ok, err := s.AdoptInDoubt(t.Context(), old, 5, nil, 3, noon); ok || err != nil {
			t.Errorf("adopting for an old attempt: ok %v, error %v; want false", ok, err)
		}
		if got := deal(t, s).State; got != gistdeal.DealSending {
			t.Errorf("the state is %s after outcomes of an old attempt, want sending", got)
		}
		recordCreated(t, s, now, 6)
		if got := deal(t, s); got.State != gistdeal.DealCreated || got.DealID != 6 {
			t.Errorf("the deal is %+v, want id 6", got)
		}
	})
}

func TestADealOfACrashedInstanceIsAdopted(t *testing.T) {
	t.Parallel()
	t.Run("it is the deal, if there is no other yet", func(t *testing.T) {
		t.Parallel()
		both(t, func(t *testing.T, s *store.Store) {
			track(t, s, "octocat", 1)
			save(t, s, 1, gists("a", 1))
			old := claim(t, s, "old")
			giveBack(t, s, old, "decided by another")
			recordCreated(t, s, old, 5)
			if got := deal(t, s); got.State != gistdeal.DealCreated || got.DealID != 5 {
				t.Errorf("the deal is %+v, want id 5", got)
			}
		})
	})
	t.Run("it is a duplicate, if there is one", func(t *testing.T) {
		t.Parallel()
		both(t, func(t *testing.T, s *store.Store) {
			track(t, s, "octocat", 1)
			save(t, s, 1, gists("a", 1))
			old := claim(t, s, "old")
			now, _, err := s.Reclaim(t.Context(), old, 3, "new", noon, noon.Add(time.Hour))
			testenv.Must(t, err)
			recordCreated(t, s, now, 6)
			recordCreated(t, s, old, 5)
			recordCreated(t, s, now, 6)
			counts, err := s.Counts(t.Context())
			testenv.Must(t, err)
			if got := deal(t, s); got.DealID != 6 || counts.Duplicates != 1 {
				t.Errorf("the deal is %d with %d duplicates, want 6 with 1", got.DealID, counts.Duplicates)
			}
		})
	})
}

func TestARefusedDealFailsWithItsReasonAndIsNotDueAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "title is bad", noon))
		if got := deal(t, s); got.State != gistdeal.DealFailed || got.Problem != "title is bad" {
			t.Errorf("the deal is %+v, want failed with the reason", got)
		}
		due, _, err := s.Due(t.Context())
		if due || err != nil {
			t.Errorf("due is %v, error %v; want false", due, err)
		}
	})
}

func TestAReleasedDealIsDueAtOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		giveBack(t, s, claim(t, s, "me"), "limit")
		if got := claim(t, s, "me").Attempt; got != 2 {
			t.Errorf("attempt is %d, want 2", got)
		}
	})
}

func TestAReleasedDealGoesToTheEndOfTheQueue(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 2))
		first := claim(t, s, "me")
		giveBack(t, s, first, "turned away")
		if next := claim(t, s, "me"); next.Draft.GistID == first.Draft.GistID {
			t.Errorf("%s was claimed again before the other deal", first.Draft.GistID)
		}
	})
}

func TestAnAttemptPresumedLostIsStillLookedUp(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		again, _, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "me", noon, noon.Add(time.Hour))
		testenv.Must(t, err)
		if !again.Since.Equal(noon) || again.Resends != 1 {
			t.Errorf("the second attempt is looked up since %v after %d resends, want since %v of the first attempt after 1", again.Since, again.Resends, noon)
		}
		if giveBack(t, s, again, "limit") {
			t.Error("the deal was queued again without a lookup")
		}
		unknown, err := s.InDoubt(t.Context())
		testenv.Must(t, err)
		again.Draft = gistdeal.Draft{GistID: "a0001"}
		if diff := cmp.Diff([]gistdeal.Claim{again}, unknown); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADealOfAnotherGistIsNotAdopted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 2))
		recordCreated(t, s, claim(t, s, "me"), 5)
		c := claim(t, s, "me")
		if known, err := s.RecordCreated(t.Context(), c, 5, noon); known || err != nil {
			t.Errorf("created: recorded %v, error %v; want false", known, err)
		}
		if ok, err := s.AdoptInDoubt(t.Context(), c, 5, nil, 1, noon); ok || err != nil {
			t.Errorf("adopted: %v, error %v; want false", ok, err)
		}
	})
}

func TestExistingDealsInPipedriveAreAdopted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 3))
		sending := claim(t, s, "me") // a0001: only lookups decide it
		n, err := s.Adopt(t.Context(), map[string]int64{"a0001": 1, "a0002": 2, "later": 9}, map[string][]gistdeal.RemoteDeal{"a0002": {{ID: 2}, {ID: 12}}, "a0001": {{ID: 1}, {ID: 11}}}, noon)
		if err != nil || len(n) != 2 {
			t.Fatalf("adopted %v, error %v; want 2", n, err)
		}
		states := map[string]gistdeal.DealState{}
		save(t, s, 1, []gistdeal.Gist{{ID: "later", CreatedAt: noon}})
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		for _, g := range all {
			states[g.ID] = g.State
		}
		want := map[string]gistdeal.DealState{sending.Draft.GistID: "sending", "a0002": "created", "a0003": "queued", "later": "created"}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
		counts, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if counts.Duplicates != 1 {
			t.Errorf("%d duplicate deals, want 1: those of a deal in state sending are not known yet", counts.Duplicates)
		}
		if n, err := s.Adopt(t.Context(), map[string]int64{"a0002": 2, "later": 9}, nil, noon); len(n) != 0 || err != nil {
			t.Errorf("adopting again: %v, error %v; want 0", n, err)
		}
		strange, err := s.ForeignDeals(t.Context(), map[string]int64{"a0001": 1, "a0002": 2, "later": 9})
		testenv.Must(t, err)
		slices.Sort(strange)
		if diff := cmp.Diff([]string{"a0002", "later"}, strange); diff != "" {
			t.Errorf("unknown gists: %s", diff)
		}
	})
}

func TestADealWithoutAGistFailsAlone(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		for _, id := range []string{"0lost", "1lost", "2lost"} {
			s.Exec(t, `INSERT INTO deals (gist_id, state, queued_at) VALUES ('`+id+`', 'queued', 1)`)
		}
		save(t, s, 1, gists("a", 1))
		if c := claim(t, s, "me"); c.Draft.GistID != "a0001" {
			t.Errorf("claimed %+v, want a0001", c)
		}
		if _, ok, err := s.Claim(t.Context(), "me", noon, noon); ok || err != nil {
			t.Errorf("a second claim: %v, error %v", ok, err)
		}
		h, err := s.Explain(t.Context(), "1lost")
		testenv.Must(t, err)
		if h.State != gistdeal.DealFailed || !strings.Contains(h.Problem, "track its user") || len(h.Attempts) != 1 || h.Attempts[0].Outcome != "not_sent" {
			t.Errorf("a deal without a gist is %+v, want failed with a reason and an attempt that was not sent", h)
		}
	})
}
