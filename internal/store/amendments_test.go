package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// decided stores gists of user 1, lets a rule decide about their deals, and creates them.
func decided(t *testing.T, s *store.Store, all []gistdeal.Gist) {
	t.Helper()
	policy := gistdeal.NewGistPolicy{Order: gistdeal.PushOldest, Total: len(all), Decisions: map[string]gistdeal.Decision{}}
	for _, g := range all {
		policy.Decisions[g.ID] = gistdeal.Decision{Rule: "all", Version: 1, Content: &gistdeal.Content{Title: "first"}}
	}
	_, err := s.SaveGists(t.Context(), 1, all, policy, noon)
	testenv.Must(t, err)
	for i := range all {
		recordCreated(t, s, claim(t, s, "me"), int64(70+i))
	}
}

// edited stores gists with another description.
func edited(t *testing.T, s *store.Store, all []gistdeal.Gist, description string) {
	t.Helper()
	for i := range all {
		all[i].Description = description
	}
	save(t, s, 1, all)
}

// owed claims the next amendment.
func owed(t *testing.T, s *store.Store, owner string, now time.Time) (gistdeal.Amendment, bool) {
	t.Helper()
	due, err := s.AmendmentDue(t.Context(), now)
	testenv.Must(t, err)
	a, ok, err := s.ClaimAmendment(t.Context(), owner, now, now.Add(time.Minute))
	if testenv.Must(t, err); ok && !due {
		t.Error("an amendment that is not due was claimed")
	}
	return a, ok
}

func TestAnAmendmentIsOwedUntilItsLastChangeIsDone(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		one := gists("a", 1)
		decided(t, s, one)
		if _, ok := owed(t, s, "me", noon); ok {
			t.Fatal("an amendment is owed without a change")
		}
		edited(t, s, one, "second")
		a, ok := owed(t, s, "me", noon)
		want := gistdeal.Content{Title: "first"}
		if !ok || !a.Edited || a.Gone || a.ID != "a0001" || a.DealID != 70 || a.Login != "octocat" || a.Description != "second" || a.Rule != "all" || !cmp.Equal(a.Content, &want) || a.Intended != nil {
			t.Fatalf("claimed %v, %+v", ok, a)
		}
		if _, ok := owed(t, s, "you", noon); ok {
			t.Error("a claimed amendment was claimed again")
		}
		intent := gistdeal.Intent{Content: gistdeal.Content{Title: "second"}, FromStage: 3}
		if ok, err := s.IntendAmendment(t.Context(), a, intent, true); !ok || err != nil {
			t.Fatalf("intended %v, %v", ok, err)
		}
		// The process dies, and another one goes on.
		b, ok := owed(t, s, "you", noon.Add(time.Minute))
		if !ok || b.Attempt != 2 || b.Change != a.Change || !b.MayBeNoted || !cmp.Equal(b.Intended, &intent) {
			t.Fatalf("claimed %v, %+v", ok, b)
		}
		if ok, err := s.IntendAmendment(t.Context(), a, gistdeal.Intent{}, false); ok || err != nil {
			t.Errorf("the first process may still write: %v, %v", ok, err)
		}
		testenv.Must(t, s.EndAmendment(t.Context(), a, &gistdeal.Content{Title: "wrong"}, gistdeal.Event{}))
		// The gist is deleted meanwhile.
		testenv.Must(t, s.MarkGone(t.Context(), 1, nil, noon.Add(time.Second)))
		last := lastEvent(t, s)
		testenv.Must(t, s.EndAmendment(t.Context(), b, &gistdeal.Content{Title: "second"}, gistdeal.Event{Type: gistdeal.EventDealUpdated, At: noon, GistID: "a0001"}))
		if events := eventsAfter(t, s, last); len(events) != 1 || events[0].Type != gistdeal.EventDealUpdated {
			t.Errorf("%+v", events)
		}
		c, ok := owed(t, s, "you", noon)
		if !ok || c.Edited || !c.Gone || c.Change <= a.Change || c.MayBeNoted || c.Intended != nil || c.Content.Title != "second" {
			t.Fatalf("claimed %v, %+v", ok, c)
		}
		testenv.Must(t, s.PostponeAmendment(t.Context(), c, noon.Add(time.Hour)))
		if _, ok := owed(t, s, "you", noon.Add(59*time.Minute)); ok {
			t.Error("a postponed amendment was claimed")
		}
		testenv.Must(t, s.MarkGone(t.Context(), 1, []string{"a0001"}, noon.Add(time.Minute)))
		c, ok = owed(t, s, "you", noon.Add(time.Hour))
		if !ok || c.Edited || c.Gone {
			t.Fatalf("claimed %v, %+v, want one with nothing to do", ok, c)
		}
		testenv.Must(t, s.EndAmendment(t.Context(), c, nil, gistdeal.Event{}))
		if _, ok := owed(t, s, "you", noon.Add(24*time.Hour)); ok {
			t.Error("an amendment is owed after it was done")
		}
	})
}

func TestOnlyDealsOfRulesHaveAmendmentsAndOnlyOnceTheyAreCreated(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		plain := gists("b", 1) // Without rules.
		save(t, s, 1, plain)
		recordCreated(t, s, claim(t, s, "me"), 60)
		edited(t, s, plain, "second")
		waiting := gists("c", 1)
		policy := gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{"c0001": {Rule: "all"}}}
		_, err := s.SaveGists(t.Context(), 1, waiting, policy, noon)
		testenv.Must(t, err)
		edited(t, s, waiting, "second")
		if a, ok := owed(t, s, "me", noon); ok {
			t.Errorf("claimed %+v before its deal was created", a)
		}
		recordCreated(t, s, claim(t, s, "me"), 61)
		_, err = s.PausePushes(t.Context(), "", noon)
		testenv.Must(t, err)
		if _, ok := owed(t, s, "me", noon); ok {
			t.Error("an amendment was claimed during a pause")
		}
		_, err = s.ResumePushes(t.Context(), noon)
		testenv.Must(t, err)
		a, ok := owed(t, s, "me", noon)
		if !ok || a.ID != "c0001" || a.DealID != 61 {
			t.Errorf("claimed %v, %+v", ok, a)
		}
		testenv.Must(t, s.PostponeAmendment(t.Context(), a, noon))
		_, err = s.RemoveUsers(t.Context(), noon, 1)
		testenv.Must(t, err)
		if _, ok := owed(t, s, "me", noon); ok {
			t.Error("the deal of a removed user was to be amended")
		}
	})
}
