package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestARenamedUserIsReadByItsNewLoginOnly(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		track(t, s, "Bob", 2)
		// Alice takes Bob's login. The new login of Bob is not known yet.
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "bob"}, noon))
		u, err := s.UserByLogin(t.Context(), "BOB")
		if err != nil || u.ID != 1 {
			t.Errorf("bob is user %d, error %v; want 1", u.ID, err)
		}
		if _, err := s.UserByLogin(t.Context(), "alice"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("alice: %v, want not found", err)
		}
		old, err := s.User(t.Context(), 2)
		if err != nil || !old.LoginStale {
			t.Errorf("the former bob: stale is %v, error %v; want stale", old.LoginStale, err)
		}
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 2, Login: "robert"}, noon))
		if u, err := s.UserByLogin(t.Context(), "Robert"); err != nil || u.ID != 2 || u.LoginStale {
			t.Errorf("robert is %+v, error %v; want user 2", u, err)
		}
	})
}

func TestTrackingAgainKeepsBackfillAndGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{ETag: `"e"`, Pages: 2}, noon, noon.Add(time.Hour)))
		u, err := s.Track(t.Context(), gistdeal.Account{ID: 1, Login: "Alice"}, gistdeal.BackfillNone, noon.Add(time.Minute))
		testenv.Must(t, err)
		if u.Backfill != gistdeal.BackfillAll || u.ETag != `"e"` || !u.TrackedAt.Equal(noon) || u.Login != "Alice" {
			t.Errorf("the user is %+v, want the old policy, ETag and time and the new login", u)
		}
	})
}

func TestAVisitNeverLowersTheLastGistSeen(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		for _, seq := range []int64{5, 3} {
			testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{UserID: 1, Seq: seq}, noon))
		}
		testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ci", UserID: 1, Seq: 4}, noon))
		for visitor, want := range map[string]int64{"": 5, "ci": 4, "nobody": 0} {
			if v, err := s.View(t.Context(), visitor, "alice"); v.Seen != want || err != nil {
				t.Errorf("%q has seen gists up to %d, error %v; want %d", visitor, v.Seen, err, want)
			}
		}
	})
}

func TestAVisitIsTakenBackOnlyIfNoOtherFollowed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		for _, visitor := range []string{"ann", "bob"} {
			testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: visitor, UserID: 1, Seq: 9}, noon))
		}
		for _, is := range []struct {
			from int64
			want bool
		}{{7, false}, {9, true}, {9, false}} {
			if ok, err := s.TakeBackVisit(t.Context(), gistdeal.Visit{Visitor: "ann", UserID: 1, Seq: 5}, is.from, noon); ok != is.want || err != nil {
				t.Errorf("from %d: %v, %v; want %v", is.from, ok, err, is.want)
			}
		}
		for visitor, want := range map[string]int64{"ann": 5, "bob": 9} {
			if v, err := s.View(t.Context(), visitor, "alice"); v.Seen != want || err != nil {
				t.Errorf("%s has seen gists up to %d, error %v; want %d", visitor, v.Seen, err, want)
			}
		}
	})
}

func TestAViewHasANewVersionAfterEachVisibleChange(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		last := int64(-1)
		see := func(what string, want bool) {
			t.Helper()
			v, err := s.View(t.Context(), "", "OctoCat")
			testenv.Must(t, err)
			if changed := v.Version != last; changed != want {
				t.Errorf("%s: a new version is %v, want %v", what, changed, want)
			}
			last = v.Version
		}
		one := gists("a", 1)
		see("the first look", true)
		save(t, s, 1, one)
		see("a new gist", true)
		save(t, s, 1, one)
		see("the same gist again", false)
		one[0].Description = "edited"
		save(t, s, 1, one)
		see("an edit", true)
		c := claim(t, s, "me")
		see("a claim", true)
		recordCreated(t, s, c, 7)
		see("a deal", true)
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{NotModified: true}, noon, noon))
		see("a scan without news", false)
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "OCTOCAT"}, noon))
		see("a rename", true)
	})
}

func TestAViewReturnsTheLastGistSeenByTheVisitor(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ci", UserID: 1, Seq: 4}, noon))
		testenv.Must(t, s.Set(t.Context(), gistdeal.KeyDealURL, "https://example.test/deal/"))
		v, err := s.View(t.Context(), "ci", "octocat")
		if err != nil || v.Seen != 4 || v.DealURL != "https://example.test/deal/" || v.UserID != 1 {
			t.Errorf("view is %+v, error %v", v, err)
		}
		if _, err := s.View(t.Context(), "ci", "nobody"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("nobody: %v, want not found", err)
		}
	})
}
