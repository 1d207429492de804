package store_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestRulesAreSavedOnlyOverTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.SaveRules(t.Context(), `{"version":1}`, 0, 1, "1 rules", noon))
		for _, stale := range []int64{0, 2} {
			if err := s.SaveRules(t.Context(), `{"version":9}`, stale, stale+1, "2 rules", noon); gistdeal.KindOf(err) != gistdeal.Conflict {
				t.Errorf("over version %d: %v, want a conflict", stale, err)
			}
		}
		testenv.Must(t, s.SaveRules(t.Context(), `{"version":2}`, 1, 2, "2 rules", noon))
		if text, err := s.Setting(t.Context(), gistdeal.KeyRules); err != nil || text != `{"version":2}` {
			t.Errorf("%s, %v", text, err)
		}
	})
}

func TestTagsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		track(t, s, "hubot", 2)
		changed, err := s.ChangeTags(t.Context(), []int64{1, 2}, []string{"vip", "emea", "vip"}, nil, noon)
		if want := map[int64][]string{1: {"emea", "vip"}, 2: {"emea", "vip"}}; err != nil || !reflect.DeepEqual(changed, want) {
			t.Errorf("%v, want %v, %v", changed, want, err)
		}
		changed, err = s.ChangeTags(t.Context(), []int64{1}, []string{"emea"}, []string{"vip"}, noon)
		if u, _ := s.User(t.Context(), 1); err != nil || len(changed) != 1 || !reflect.DeepEqual(u.Tags, []string{"emea"}) {
			t.Errorf("%v, and the user has %v, %v", changed, u.Tags, err)
		}
		if changed, err := s.ChangeTags(t.Context(), []int64{1}, nil, []string{"vip"}, noon); err != nil || len(changed) != 0 {
			t.Errorf("removed twice: %v, %v", changed, err)
		}
	})
}

func TestARemovedUserKeepsItsTags(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		_, err := s.ChangeTags(t.Context(), []int64{1}, []string{"vip"}, nil, noon)
		testenv.Must(t, err)
		_, err = s.RemoveUsers(t.Context(), noon, 1)
		testenv.Must(t, err)
		if tags, err := s.Tags(t.Context(), 1); err != nil || !reflect.DeepEqual(tags, []string{"vip"}) {
			t.Errorf("%v, %v", tags, err)
		}
		if tags, err := s.Tags(t.Context(), 2); err != nil || len(tags) != 0 {
			t.Errorf("of a user that is not known: %v, %v", tags, err)
		}
	})
}

func TestDecisionsAreStoredWithTheirDealsAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		content := &gistdeal.Content{Title: "a title", Fields: []gistdeal.FieldValue{{Code: "c", Name: "n", Type: "double", Value: 1.5}}}
		decisions := map[string]gistdeal.Decision{
			"a1": {Rule: "one", Version: 3, Action: gistdeal.RuleCreate, Content: content, UserDay: 1},
			"a2": {Rule: "one", Version: 3, Action: gistdeal.RuleCreate, UserDay: 1},
			"a3": {Rule: "two", Version: 3, Action: gistdeal.RuleSkip, Reason: `the rule "two" skips it`},
			"a4": {Rule: "three", Version: 3, Action: gistdeal.RuleHold, Reason: `awaiting approval: the rule "three" wants it`},
		}
		gists := []gistdeal.Gist{{ID: "a4", CreatedAt: noon}, {ID: "a3", CreatedAt: noon}, {ID: "a2", CreatedAt: noon}, {ID: "a1", CreatedAt: noon}}
		_, err := s.SaveGists(t.Context(), 1, gists, gistdeal.NewGistPolicy{Decisions: decisions}, noon)
		testenv.Must(t, err)
		states := func() string {
			all, err := s.LatestGists(t.Context(), 100, 10)
			testenv.Must(t, err)
			words := make([]string, len(all))
			for i, g := range all {
				words[i] = g.ID + " " + string(g.State)
			}
			return strings.Join(words, ", ")
		}
		if got := states(); got != "a4 awaiting_approval, a3 skipped, a2 awaiting_approval, a1 queued" {
			t.Errorf("%s", got)
		}
		if all, err := s.DecidableGists(t.Context(), "a1", 10); err != nil || len(all) != 3 {
			t.Errorf("%d gists can be decided again after a1, want 3, %v", len(all), err)
		}
		for id, want := range map[string]gistdeal.DealState{"a3": gistdeal.DealQueued, "a4": gistdeal.DealQueued, "a1": gistdeal.DealQueued} {
			_, after, err := s.DecideAgain(t.Context(), id, func(gistdeal.DecidedGist) gistdeal.Decision {
				return gistdeal.Decision{Rule: "new", Version: 4, Action: gistdeal.RuleCreate, Content: content, RuleDay: 9}
			}, noon.Add(time.Minute))
			if err != nil || after != want {
				t.Errorf("%s is %s, want %s, %v", id, after, want, err)
			}
		}
		if n, err := s.HoldRule(t.Context(), "new", "awaiting approval: paused", noon); err != nil || n != 3 {
			t.Errorf("%d deals wait, want 3, %v", n, err)
		}
		h, err := s.Explain(t.Context(), "a3")
		if err != nil || h.Rule != "new" || h.RulesVersion != 4 || !reflect.DeepEqual(h.Content, content) {
			t.Errorf("%+v, %v", h, err)
		}
		if n, err := s.NoticedSince(t.Context(), noon); err != nil || n != 4 {
			t.Errorf("%d gists noticed, %v", n, err)
		}
		testenv.Must(t, s.RecordRulesApplied(t.Context(), 3, noon))
	})
}

func TestADealWaitsWithTheOthersOfItsRuleAndVersion(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		decided := func(version int64) gistdeal.Decision {
			return gistdeal.Decision{Rule: "one", Version: version, Action: gistdeal.RuleCreate, Content: &gistdeal.Content{StageID: 7}}
		}
		_, err := s.SaveGists(t.Context(), 1, gists("a", 3), gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{"a0001": decided(2), "a0002": decided(1), "a0003": decided(1)}}, noon)
		testenv.Must(t, err)
		first := claim(t, s, "me")
		stranger := first
		stranger.Owner = "another"
		if waits, err := s.Hold(t.Context(), stranger, "gone", noon); err != nil || waits {
			t.Errorf("another process let the deal wait: %v, %v", waits, err)
		}
		if waits, err := s.Hold(t.Context(), first, "gone", noon); err != nil || !waits {
			t.Errorf("waits %v, %v", waits, err)
		}
		for id, want := range map[string]gistdeal.DealState{"a0001": gistdeal.DealQueued, "a0002": gistdeal.DealAwaitingApproval, "a0003": gistdeal.DealAwaitingApproval} {
			h, err := s.Explain(t.Context(), id)
			if err != nil || h.State != want || want == gistdeal.DealAwaitingApproval && h.Problem != `awaiting approval: the rule "one": gone` {
				t.Errorf("%s is %s: %q, %v", id, h.State, h.Problem, err)
			}
			if id == first.Draft.GistID && (len(h.Attempts) != 1 || h.Attempts[0].Outcome != "not_sent") {
				t.Errorf("%+v", h.Attempts)
			}
		}
		again, ok, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "me", noon, noon)
		if waits, holdErr := s.Hold(t.Context(), again, "gone", noon); !ok || err != nil || holdErr != nil || waits {
			t.Errorf("a deal with an attempt that lookups did not find waits: %v, %v, %v", waits, err, holdErr)
		}
	})
}

func TestNoRuleDecidesAgainAboutADealThatAPersonSkipped(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		wait := gistdeal.Decision{Rule: "one", Version: 1, Action: gistdeal.RuleHold, Reason: "awaiting approval"}
		skip := gistdeal.Decision{Rule: "two", Version: 1, Action: gistdeal.RuleSkip, Reason: `the rule "two" skips it`}
		_, err := s.SaveGists(t.Context(), 1, gists("a", 3), gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{"a0001": wait, "a0002": skip, "a0003": skip}}, noon)
		testenv.Must(t, err)
		_, err = s.Retry(t.Context(), gistdeal.DealFilter{GistIDs: []string{"a0003"}}, noon)
		testenv.Must(t, err)
		_, err = s.Skip(t.Context(), gistdeal.DealFilter{GistIDs: []string{"a0001", "a0003"}}, "the rule of the customer is: no deals", noon)
		testenv.Must(t, err)
		for id, want := range map[string]gistdeal.DealState{"a0001": "", "a0002": gistdeal.DealQueued, "a0003": ""} {
			_, after, err := s.DecideAgain(t.Context(), id, func(gistdeal.DecidedGist) gistdeal.Decision {
				return gistdeal.Decision{Rule: "new", Version: 2, Action: gistdeal.RuleCreate}
			}, noon)
			if err != nil || after != want {
				t.Errorf("%s becomes %q, want %q, %v", id, after, want, err)
			}
		}
		_, after, err := s.DecideAgain(t.Context(), "a0002", func(gistdeal.DecidedGist) gistdeal.Decision { return skip }, noon)
		if all, listErr := s.DecidableGists(t.Context(), "", 10); err != nil || listErr != nil || after != gistdeal.DealSkipped || len(all) != 1 {
			t.Errorf("%s, and %d deals can be decided again, %v, %v", after, len(all), err, listErr)
		}
	})
}

func TestGistsBeforeTheBackfillTakeNothingFromTheLimitsOfARule(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		d := gistdeal.Decision{Rule: "one", Version: 1, Action: gistdeal.RuleCreate, UserDay: 1}
		all := gists("a", 3)
		_, err := s.SaveGists(t.Context(), 1, all, gistdeal.NewGistPolicy{First: true, SkipBefore: all[0].CreatedAt, Decisions: map[string]gistdeal.Decision{"a0001": d, "a0002": d, "a0003": d}}, noon)
		testenv.Must(t, err)
		for id, want := range map[string]gistdeal.DealState{"a0001": gistdeal.DealSkipped, "a0002": gistdeal.DealSkipped, "a0003": gistdeal.DealQueued} {
			if h, err := s.Explain(t.Context(), id); err != nil || h.State != want {
				t.Errorf("%s is %s: %q, want %s, %v", id, h.State, h.Problem, want, err)
			}
		}
	})
}
