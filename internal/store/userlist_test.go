package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func remove(t *testing.T, s *store.Store, id int64) {
	t.Helper()
	if did, err := s.RemoveUsers(t.Context(), time.Now(), id); len(did) != 1 || err != nil {
		t.Fatalf("remove user %d: %v, error %v", id, did, err)
	}
}

// dueUsers returns the ids of the users due an hour after noon.
func dueUsers(t *testing.T, s *store.Store) (ids []int64) {
	t.Helper()
	users, err := s.DueUsers(t.Context(), noon.Add(time.Hour), noon.Add(24*time.Hour), 10)
	testenv.Must(t, err)
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestAPausedUserIsNotDueUntilItIsResumed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		for _, want := range [][]int64{{1}, nil} {
			if did, err := s.PauseUsers(t.Context(), time.Now(), 1, 2); !slices.Equal(did, want) || err != nil {
				t.Errorf("paused are %v, error %v; want %v", did, err, want)
			}
		}
		track(t, s, "Alice", 1) // under its new login, for example
		if due := dueUsers(t, s); len(due) != 0 {
			t.Errorf("due are %v, want no user", due)
		}
		if v, err := s.View(t.Context(), "", "alice"); !v.Scanned || err != nil {
			t.Errorf("the view is %+v, error %v; want the existing gists", v, err)
		}
		if did, err := s.ResumeUsers(t.Context(), noon.Add(time.Minute), 1); len(did) != 1 || err != nil {
			t.Errorf("resumed are %v, error %v", did, err)
		}
		if diff := cmp.Diff([]int64{1}, dueUsers(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheDealsOfARemovedUserAreSkippedUnlessSent(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		save(t, s, 1, gists("a", 4))
		recordCreated(t, s, claim(t, s, "me"), 7)
		turnedAway, sending := claim(t, s, "me"), claim(t, s, "me")
		remove(t, s, 1)
		if back := giveBack(t, s, turnedAway, "limit"); !back {
			t.Error("the unsent deal is still in state sending")
		}
		want := map[string]gistdeal.DealState{"a0001": "created", "a0002": "skipped", sending.Draft.GistID: "sending", "a0004": "skipped"}
		if diff := cmp.Diff(want, states(t, s, 1)); diff != "" {
			t.Error(diff)
		}
		if _, err := s.SaveGists(t.Context(), 1, []gistdeal.Gist{{ID: "later"}}, gistdeal.NewGistPolicy{}, noon); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("saving gists of a removed user: %v, want a refusal", err)
		}
		track(t, s, "alice", 1)
		if diff := cmp.Diff(want, states(t, s, 1)); diff != "" {
			t.Errorf("after the user was added again: %s", diff)
		}
		if diff := cmp.Diff([]int64{1}, dueUsers(t, s)); diff != "" {
			t.Errorf("due after the user was added again: %s", diff)
		}
	})
}

func TestTrackingAgainChangesTheBackfillOnlyBeforeTheFirstScanEnds(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		for _, want := range []gistdeal.Backfill{gistdeal.BackfillNone, gistdeal.BackfillNone} {
			u, err := s.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, want, noon)
			if err != nil || u.Backfill != gistdeal.BackfillNone {
				t.Errorf("policy is %s, error %v; want new", u.Backfill, err)
			}
		}
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{}, noon, noon))
		if u, err := s.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, noon); err != nil || u.Backfill != gistdeal.BackfillNone {
			t.Errorf("policy is %s after the first scan, error %v; want new", u.Backfill, err)
		}
	})
}

func TestUsersAreListedByStateAndPartOfTheLogin(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for i, login := range []string{"alice", "Bob_by", "carol", "bobxby", "dave"} {
			track(t, s, login, int64(i+1))
		}
		if _, err := s.PauseUsers(t.Context(), time.Now(), 3); err != nil {
			t.Fatal(err)
		}
		remove(t, s, 5)
		for _, test := range []struct {
			name   string
			filter gistdeal.UserFilter
			want   []string
		}{
			{"all but removed", gistdeal.UserFilter{}, []string{"alice", "Bob_by", "carol", "bobxby"}},
			{"some states", gistdeal.UserFilter{States: []gistdeal.UserState{"paused", "removed"}}, []string{"carol", "dave"}},
			{"a part of the login in any case", gistdeal.UserFilter{Search: "oB_"}, []string{"Bob_by"}},
			{"a part that looks like a pattern", gistdeal.UserFilter{Search: "b_b"}, []string{"Bob_by"}},
		} {
			users, err := s.Users(t.Context(), test.filter, gistdeal.UserPage{Limit: 10})
			testenv.Must(t, err)
			got := []string{}
			for _, u := range users {
				got = append(got, u.Login)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
		}
	})
}

func TestPagesOfUsersMissAndRepeatNobody(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		logins := []string{"dave", "Alice", "bob", "carol", "Eve", "a-b", "zoe"}
		for i, login := range logins {
			track(t, s, login, int64(i+1))
			// Some times are equal, so that the ids decide.
			testenv.Must(t, s.Scanned(t.Context(), int64(i+1), gistdeal.Listing{}, noon.Add(time.Duration(i%3)*time.Hour), noon.Add(time.Duration(i%2)*time.Hour)))
		}
		for _, order := range []gistdeal.UserOrder{"", gistdeal.OrderByID, gistdeal.OrderByLogin, gistdeal.OrderByTracked, gistdeal.OrderByLastScan, gistdeal.OrderByNextScan} {
			whole, err := s.Users(t.Context(), gistdeal.UserFilter{}, gistdeal.UserPage{Order: order, Limit: 100})
			testenv.Must(t, err)
			for _, descending := range []bool{false, true} {
				var got []gistdeal.User
				for p := (gistdeal.UserPage{Order: order, Descending: descending, Limit: 2}); ; {
					part, err := s.Users(t.Context(), gistdeal.UserFilter{}, p)
					testenv.Must(t, err)
					if got = append(got, part...); len(part) < 2 {
						break
					}
					p.After = &part[1]
				}
				if descending {
					slices.Reverse(got)
				}
				if diff := cmp.Diff(whole, got); diff != "" || len(got) != len(logins) {
					t.Errorf("by %q, descending %v: %s", order, descending, diff)
				}
			}
		}
	})
}

func TestPagesOfUsersHaveTheNumbersOfTheirDeals(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for i, login := range []string{"alice", "bob", "carol", "dave", "eve"} {
			track(t, s, login, int64(i+1))
		}
		save(t, s, 1, gists("a", 4))
		recordCreated(t, s, claim(t, s, "me"), 7)
		s.Exec(t, `UPDATE deals SET state = 'failed' WHERE gist_id = 'a0004'`)
		save(t, s, 3, gists("c", 2))
		save(t, s, 5, gists("e", 3))
		remove(t, s, 5)
		states := func(counts ...any) map[gistdeal.DealState]int {
			m := map[gistdeal.DealState]int{}
			for i := 0; i < len(counts); i += 2 {
				m[gistdeal.DealState(counts[i].(string))] = counts[i+1].(int)
			}
			return m
		}
		alice, carol, eve := states("created", 1, "queued", 2, "failed", 1), states("queued", 2), states("skipped", 3)
		for _, test := range []struct {
			name   string
			filter gistdeal.UserFilter
			page   gistdeal.UserPage
			want   []map[gistdeal.DealState]int
		}{
			{"by id", gistdeal.UserFilter{}, gistdeal.UserPage{}, []map[gistdeal.DealState]int{alice, states(), carol, states()}},
			{"by login, descending", gistdeal.UserFilter{}, gistdeal.UserPage{Order: gistdeal.OrderByLogin, Descending: true}, []map[gistdeal.DealState]int{states(), carol, states(), alice}},
			{"removed", gistdeal.UserFilter{States: []gistdeal.UserState{gistdeal.UserRemoved}}, gistdeal.UserPage{}, []map[gistdeal.DealState]int{eve}},
			{"search", gistdeal.UserFilter{Search: "a"}, gistdeal.UserPage{}, []map[gistdeal.DealState]int{alice, carol, states()}},
			{"search that matches none", gistdeal.UserFilter{Search: "x"}, gistdeal.UserPage{}, nil},
		} {
			if diff := cmp.Diff(test.want, dealsByPage(t, s, test.filter, test.page)); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
		}
	})
}

// dealsByPage returns the numbers of deals of all users that f means, read in pages of two.
func dealsByPage(t *testing.T, s *store.Store, f gistdeal.UserFilter, p gistdeal.UserPage) (all []map[gistdeal.DealState]int) {
	t.Helper()
	p.Limit = 2
	for {
		users, err := s.Users(t.Context(), f, p)
		testenv.Must(t, err)
		var ids []int64
		for _, u := range users {
			ids = append(ids, u.ID)
		}
		deals, err := s.DealsOfUsers(t.Context(), ids)
		testenv.Must(t, err)
		for _, id := range ids {
			all = append(all, deals[id])
		}
		if len(users) < p.Limit {
			return all
		}
		p.After = &users[1]
	}
}

func TestAListHasTheFieldsOfAUserThatAreShown(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "alice", 1)
		testenv.Must(t, s.Scanned(t.Context(), u.ID, gistdeal.Listing{ETag: "e", Pages: 2}, noon, noon.Add(time.Hour)))
		testenv.Must(t, s.ScanFailed(t.Context(), u.ID, "GitHub is away", noon.Add(2*time.Hour)))
		s.Exec(t, `UPDATE users SET tags = 'a b', login_key = NULL WHERE id = 1`)
		want, err := s.User(t.Context(), u.ID)
		testenv.Must(t, err)
		users, err := s.Users(t.Context(), gistdeal.UserFilter{}, gistdeal.UserPage{Limit: 1})
		testenv.Must(t, err)
		if diff := cmp.Diff(shown(t, want), shown(t, users[0])); diff != "" {
			t.Error(diff)
		}
	})
}

// shown returns the JSON of a user.
func shown(t *testing.T, u gistdeal.User) string {
	t.Helper()
	text, err := json.MarshalIndent(u, "", " ")
	testenv.Must(t, err)
	return string(text)
}

func TestAShorterIntervalBringsPlannedScansForward(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		const interval = time.Hour
		tests := []struct {
			login      string
			last, next time.Duration // from noon
			failed     bool
			from, to   time.Duration // range of the next scan afterwards
		}{
			{"planned by three hours", -10 * time.Minute, 170 * time.Minute, false, 44 * time.Minute, 50 * time.Minute},
			{"planned by this interval", -10 * time.Minute, 55 * time.Minute, false, 55 * time.Minute, 55 * time.Minute},
			{"overdue", -5 * time.Hour, -2 * time.Hour, false, -2 * time.Hour, -2 * time.Hour},
			{"waits after a failure", -5 * time.Hour, 30 * time.Minute, true, 30 * time.Minute, 30 * time.Minute},
		}
		for i, tt := range tests {
			u := track(t, s, tt.login, int64(i+501))
			testenv.Must(t, s.Scanned(t.Context(), u.ID, gistdeal.Listing{}, noon.Add(tt.last), noon.Add(tt.next)))
			if tt.failed {
				testenv.Must(t, s.ScanFailed(t.Context(), u.ID, "GitHub is away", noon.Add(tt.next)))
			}
		}
		for _, want := range []int64{1, 0} {
			if n, err := s.BringForward(t.Context(), interval, noon); n != want || err != nil {
				t.Errorf("%d scans brought forward, error %v, want %d", n, err, want)
			}
		}
		for i, tt := range tests {
			u, err := s.User(t.Context(), int64(i+501))
			testenv.Must(t, err)
			if next := u.NextScanAt.Sub(noon); next < tt.from || next > tt.to {
				t.Errorf("%s: the next scan is %v from noon, want %v to %v", tt.login, next, tt.from, tt.to)
			}
		}
	})
}

func TestAFilterWithManyResultsListsAllInOrder(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		const users = 1100 // more than are sorted without an index
		s.Exec(t, fmt.Sprintf(`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, next_scan_at)
			WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i, 'User' || substr(CAST(i AS TEXT), 2), 'user' || substr(CAST(i AS TEXT), 2), 'active', 'all', 1, 1 FROM n`, 10000+users-1))
		for search, want := range map[string]int{"user": users, "user00": 100, "9": 290, "x": 0} {
			p := gistdeal.UserPage{Order: gistdeal.OrderByLogin, Descending: true, Limit: 300}
			n, last := 0, "zzz"
			for {
				some, err := s.Users(t.Context(), gistdeal.UserFilter{Search: search, States: []gistdeal.UserState{gistdeal.UserActive}}, p)
				testenv.Must(t, err)
				for _, u := range some {
					if n++; u.Login >= last {
						t.Fatalf("%s comes after %s", u.Login, last)
					}
					last, p.After = u.Login, &u
				}
				if len(some) < p.Limit {
					break
				}
			}
			if n != want {
				t.Errorf("%d users have %q, want %d", n, search, want)
			}
		}
	})
}
