package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// queue stores new gists with ids that start with the prefix, under a policy.
func queue(t *testing.T, s *store.Store, userID int64, prefix string, n int, p gistdeal.NewGistPolicy) {
	t.Helper()
	_, err := s.SaveGists(t.Context(), userID, gists(prefix, n), p, noon)
	testenv.Must(t, err)
	catchUp(t, s)
}

// claimAll claims deals until none is queued, and returns the ids of their gists, in order.
func claimAll(t *testing.T, s *store.Store) string {
	t.Helper()
	catchUp(t, s)
	var ids []string
	for {
		c, ok, err := s.Claim(t.Context(), "me", noon, noon)
		testenv.Must(t, err)
		if !ok {
			return strings.Join(ids, " ")
		}
		ids = append(ids, strings.Replace(c.Draft.GistID, "000", "", 1))
	}
}

func TestTheDealsOfUsersTakeTurns(t *testing.T) {
	t.Parallel()
	first := gistdeal.NewGistPolicy{First: true}
	for name, test := range map[string]struct {
		do   func(*testing.T, *store.Store)
		want string
	}{
		"the newest gist of a user comes first": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 3, first)
		}, "a3 a2 a1"},
		"or the oldest, over all pages": {func(t *testing.T, s *store.Store) {
			oldest := gistdeal.NewGistPolicy{First: true, Hold: true, Order: gistdeal.PushOldest, Total: 4}
			queue(t, s, 1, "b", 2, oldest)
			oldest.Before = 2
			queue(t, s, 1, "a", 2, oldest)
			_, _, err := s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{}, noon)
			testenv.Must(t, err)
		}, "a1 a2 b1 b2"},
		"users take turns": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 4, first)
			queue(t, s, 2, "b", 2, first)
		}, "a4 b2 a3 b1 a2 a1"},
		"a user added later is not behind": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 4, first)
			for range 2 {
				claim(t, s, "me")
			}
			queue(t, s, 2, "b", 2, first)
		}, "a2 b2 a1 b1"},
		"new gists come before backfills": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 2, first)
			queue(t, s, 2, "b", 2, gistdeal.NewGistPolicy{})
		}, "b2 b1 a2 a1"},
		"also with new gists": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 4, gistdeal.NewGistPolicy{})
			claim(t, s, "me")
			queue(t, s, 2, "b", 2, gistdeal.NewGistPolicy{})
		}, "a3 b2 a2 b1 a1"},
		"a user that somebody waits for has ten deals in each turn": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 3, first)
			queue(t, s, 2, "b", 9, gistdeal.NewGistPolicy{First: true, Prompt: true})
			queue(t, s, 2, "c", 3, gistdeal.NewGistPolicy{First: true, Prompt: true, Before: 9})
		}, "a3 b9 b8 b7 b6 b5 b4 b3 b2 b1 c3 a2 c2 c1 a1"},
		"a first scan that is approved takes turns from then on": {func(t *testing.T, s *store.Store) {
			hold := first
			hold.Hold = true
			queue(t, s, 1, "a", 2, hold)
			queue(t, s, 2, "b", 4, first)
			_, _, err := s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{Threshold: 1}, noon)
			testenv.Must(t, err)
			for range 2 {
				claim(t, s, "me")
			}
			_, err = s.Approve(t.Context(), 1, noon)
			testenv.Must(t, err)
		}, "a2 b2 a1 b1"},
		"deals of a higher priority come first, and users take turns among them": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 4, withPriorities(first, map[string]gistdeal.Priority{"a0004": "low", "a0002": "high", "a0001": "high"}))
			queue(t, s, 2, "b", 3, withPriorities(first, map[string]gistdeal.Priority{"b0003": "high"}))
		}, "a2 b3 a1 a3 b2 b1 a4"},
		"new gists come before backfills of a high priority": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 2, withPriorities(first, map[string]gistdeal.Priority{"a0001": "high"}))
			queue(t, s, 2, "b", 1, withPriorities(gistdeal.NewGistPolicy{}, map[string]gistdeal.Priority{"b0001": "low"}))
		}, "b1 a1 a2"},
		"approved deals are queued by their priority": {func(t *testing.T, s *store.Store) {
			hold := withPriorities(gistdeal.NewGistPolicy{}, map[string]gistdeal.Priority{"a0001": "high"})
			hold.Hold = true
			queue(t, s, 1, "a", 3, hold)
			_, _, err := s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{Daily: 2}, noon)
			testenv.Must(t, err)
		}, "a1 a3"},
		"a deal that is decided again moves to its new priority": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 3, first)
			for id, p := range map[string]gistdeal.Priority{"a0001": "high", "a0003": "low"} {
				_, _, err := s.DecideAgain(t.Context(), id, func(gistdeal.DecidedGist) gistdeal.Decision {
					return gistdeal.Decision{Rule: "new", Version: 2, Action: gistdeal.RuleCreate, Priority: p}
				}, noon)
				testenv.Must(t, err)
			}
		}, "a1 a2 a3"},
		"a deal that is never accepted loses its priority": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 1, withPriorities(first, map[string]gistdeal.Priority{"a0001": "high"}))
			queue(t, s, 2, "b", 3, withPriorities(first, map[string]gistdeal.Priority{"b0001": "low"}))
			for range 3 {
				giveBack(t, s, claim(t, s, "me"), "no")
			}
		}, "b3 b2 b1 a1"},
		"a failed deal that is retried comes first": {func(t *testing.T, s *store.Store) {
			queue(t, s, 1, "a", 3, first)
			claim(t, s, "me")
			testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "no", noon))
			_, err := s.Retry(t.Context(), gistdeal.DealFilter{}, noon)
			testenv.Must(t, err)
		}, "a2 a1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				track(t, s, "alice", 1)
				track(t, s, "bob", 2)
				test.do(t, s)
				if diff := cmp.Diff(test.want, claimAll(t, s)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// withPriorities returns the policy with rules that give gists a priority.
func withPriorities(p gistdeal.NewGistPolicy, priorities map[string]gistdeal.Priority) gistdeal.NewGistPolicy {
	p.Decisions = map[string]gistdeal.Decision{}
	for id, priority := range priorities {
		p.Decisions[id] = gistdeal.Decision{Rule: "one", Version: 1, Action: gistdeal.RuleCreate, Priority: priority}
	}
	return p
}

func TestARefusedUserDelaysOnlyItself(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		track(t, s, "bob", 2)
		queue(t, s, 1, "a", 1, gistdeal.NewGistPolicy{})
		queue(t, s, 2, "b", 2, gistdeal.NewGistPolicy{})
		giveBack(t, s, claim(t, s, "me"), "limit")
		if got := claimAll(t, s); !slices.Equal(strings.Fields(got), []string{"b2", "b1", "a1"}) {
			t.Errorf("claimed in the order %s", got)
		}
	})
}

func TestAForbiddenDealWaitsBehindTheNextOnesOfABackfill(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		queue(t, s, 1, "a", 12, gistdeal.NewGistPolicy{First: true})
		queue(t, s, 1, "b", 1, gistdeal.NewGistPolicy{})
		c := claim(t, s, "me")
		if _, err := s.GiveBack(t.Context(), c, "forbidden", true, noon); err != nil {
			t.Fatal(err)
		}
		if got := claimAll(t, s); !strings.HasPrefix(got, "a0012 a0011 ") {
			t.Errorf("claimed %s after %s, want the backfill first", got, c.Draft.GistID)
		}
	})
}
