package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// both runs a test on a new database of each kind.
func both(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	each(t, func(t *testing.T, database string) { test(t, open(t, database)) })
}

// each runs a test with the name of a new database of each kind.
func each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "odd name?#%.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

// open opens a database until the end of the test.
func open(t *testing.T, database string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{Lease: leaseTTL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// track tracks a user with a number made from its login.
func track(t *testing.T, s *store.Store, login string, id int64) gistdeal.User {
	t.Helper()
	u, err := s.Track(t.Context(), gistdeal.Account{ID: id, Login: login}, gistdeal.FirstScanAll, noon)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// gists returns n gists, newest first.
func gists(prefix string, n int) []gistdeal.Gist {
	all := make([]gistdeal.Gist, n)
	for i := range all {
		all[i] = gistdeal.Gist{
			ID: fmt.Sprintf("%s%04d", prefix, n-i), Description: "same for all",
			CreatedAt: noon.Add(-time.Duration(i+1) * time.Hour), Files: []gistdeal.File{{Name: "a.go", RawURL: "https://example.test/a.go"}},
		}
	}
	return all
}

func save(t *testing.T, s *store.Store, userID int64, all []gistdeal.Gist) int {
	t.Helper()
	found, err := s.SaveGists(t.Context(), userID, all, gistdeal.Noticing{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func claim(t *testing.T, s *store.Store, owner string) gistdeal.Claim {
	t.Helper()
	c, ok, err := s.Claim(t.Context(), owner, noon, noon)
	if err != nil || !ok {
		t.Fatalf("claim: ok = %v, error %v", ok, err)
	}
	return c
}

func made(t *testing.T, s *store.Store, c gistdeal.Claim, dealID int64) {
	t.Helper()
	if known, err := s.Made(t.Context(), c, dealID, noon); !known || err != nil {
		t.Fatalf("made: known %v, error %v", known, err)
	}
}

func giveBack(t *testing.T, s *store.Store, c gistdeal.Claim, reason string) bool {
	t.Helper()
	ok, err := s.GiveBack(t.Context(), c, reason, noon.Add(time.Minute))
	testenv.Must(t, err)
	return ok
}

// deal returns the only gist of user 1.
func deal(t *testing.T, s *store.Store) gistdeal.Deal {
	t.Helper()
	all, err := s.GistsOf(t.Context(), 1)
	if err != nil || len(all) != 1 {
		t.Fatalf("gists of user 1: %d, error %v; want 1", len(all), err)
	}
	return all[0].Deal
}

func TestSavingTheSameGistsAgainChangesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "Octocat", 1)
		if got := save(t, s, 1, gists("a", 3)); got != 3 {
			t.Errorf("first scan found %d deals, want 3", got)
		}
		before, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if got := save(t, s, 1, gists("a", 3)); got != 0 {
			t.Errorf("second scan found %d deals, want 0", got)
		}
		after, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		if before[0].ID != "a0003" || before[2].ID != "a0001" {
			t.Errorf("order is %s ... %s, want the newest first", before[0].ID, before[2].ID)
		}
	})
}

func TestGistsAreOrderedByCreationTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 4)
		save(t, s, 1, all[:2])
		save(t, s, 1, all[2:]) // the next page: older gists, noticed later
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
		made(t, s, c, 77)
		one[0].Description = "edited"
		if got := save(t, s, 1, one); got != 0 {
			t.Errorf("an edit found %d deals, want 0", got)
		}
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if all[0].Description != "edited" || all[0].Seq != 1 || all[0].Deal.DealID != 77 {
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
		found, err := s.SaveGists(t.Context(), 1, all, gistdeal.Noticing{First: true, SkipBefore: noon}, noon)
		if err != nil || found != 1 {
			t.Fatalf("found %d, error %v; want 1", found, err)
		}
		counts, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if counts.Deals[gistdeal.DealSkipped] != 2 || counts.Deals[gistdeal.DealFound] != 1 {
			t.Errorf("deals are %v, want 2 skipped and 1 found", counts.Deals)
		}
	})
}

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
					if due, err := s.Due(t.Context()); !ok && (!due || err != nil) {
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
			t.Errorf("%d deals taken, want %d", len(taken), deals)
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("deal %s was taken %d times", id, n)
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
		if ok, err := s.AdoptUnknown(t.Context(), old, 5, nil, 3, noon); ok || err != nil {
			t.Errorf("adopting for an old attempt: ok %v, error %v; want false", ok, err)
		}
		if got := deal(t, s).State; got != gistdeal.DealSending {
			t.Errorf("state is %s after words of an old attempt, want sending", got)
		}
		made(t, s, now, 6)
		if got := deal(t, s); got.State != gistdeal.DealMade || got.DealID != 6 {
			t.Errorf("deal is %+v, want made with id 6", got)
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
			made(t, s, old, 5)
			if got := deal(t, s); got.State != gistdeal.DealMade || got.DealID != 5 {
				t.Errorf("deal is %+v, want made with id 5", got)
			}
		})
	})
	t.Run("it is surplus, if there is one", func(t *testing.T) {
		t.Parallel()
		both(t, func(t *testing.T, s *store.Store) {
			track(t, s, "octocat", 1)
			save(t, s, 1, gists("a", 1))
			old := claim(t, s, "old")
			now, _, err := s.Reclaim(t.Context(), old, 3, "new", noon, noon.Add(time.Hour))
			testenv.Must(t, err)
			made(t, s, now, 6)
			made(t, s, old, 5)
			made(t, s, now, 6)
			counts, err := s.Counts(t.Context())
			testenv.Must(t, err)
			if got := deal(t, s); got.DealID != 6 || counts.Surplus != 1 {
				t.Errorf("deal is %d with %d surplus, want 6 with 1", got.DealID, counts.Surplus)
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
			t.Errorf("deal is %+v, want failed with the reason", got)
		}
		due, err := s.Due(t.Context())
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
			t.Errorf("%s is claimed again before the other", first.Draft.GistID)
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
		if !again.Since.Equal(noon) || again.Absences != 1 {
			t.Errorf("the second attempt is looked for since %v after %d absences, want since the first's %v after 1", again.Since, again.Absences, noon)
		}
		if giveBack(t, s, again, "limit") {
			t.Error("the deal is found again without a look")
		}
		unknown, err := s.Unknown(t.Context())
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
		made(t, s, claim(t, s, "me"), 5)
		c := claim(t, s, "me")
		if known, err := s.Made(t.Context(), c, 5, noon); known || err != nil {
			t.Errorf("made: known %v, error %v; want false", known, err)
		}
		if ok, err := s.AdoptUnknown(t.Context(), c, 5, nil, 1, noon); ok || err != nil {
			t.Errorf("adopted: %v, error %v; want false", ok, err)
		}
	})
}

func TestExistingDealsInPipedriveAreAdopted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 3))
		sending := claim(t, s, "me") // a0001: decided by looks only
		n, err := s.Adopt(t.Context(), map[string]int64{"a0001": 1, "a0002": 2, "later": 9}, map[string][]int64{"a0002": {12}, "a0001": {11}}, noon)
		if err != nil || n != 2 {
			t.Fatalf("adopted %d, error %v; want 2", n, err)
		}
		states := map[string]gistdeal.DealState{}
		save(t, s, 1, []gistdeal.Gist{{ID: "later", CreatedAt: noon}})
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		for _, g := range all {
			states[g.ID] = g.Deal.State
		}
		want := map[string]gistdeal.DealState{sending.Draft.GistID: "sending", "a0002": "made", "a0003": "found", "later": "made"}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
		counts, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if counts.Surplus != 1 {
			t.Errorf("%d surplus deals, want 1: those of a deal that is being sent are not known yet", counts.Surplus)
		}
		if n, err := s.Adopt(t.Context(), map[string]int64{"a0002": 2, "later": 9}, nil, noon); n != 0 || err != nil {
			t.Errorf("adopting again: %d, error %v; want 0", n, err)
		}
		strange, err := s.Strange(t.Context(), map[string]int64{"a0001": 1, "a0002": 2, "later": 9})
		testenv.Must(t, err)
		slices.Sort(strange)
		if diff := cmp.Diff([]string{"a0002", "later"}, strange); diff != "" {
			t.Errorf("strange are: %s", diff)
		}
	})
}

func TestARenamedUserIsReadByItsNewLoginOnly(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		track(t, s, "Bob", 2)
		// Alice takes Bob's login; Bob's new one is not known yet.
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "bob"}))
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
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 2, Login: "robert"}))
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
		u, err := s.Track(t.Context(), gistdeal.Account{ID: 1, Login: "Alice"}, gistdeal.FirstScanNew, noon.Add(time.Minute))
		testenv.Must(t, err)
		if u.FirstScan != gistdeal.FirstScanAll || u.ETag != `"e"` || !u.TrackedAt.Equal(noon) || u.Login != "Alice" {
			t.Errorf("user is %+v, want the policy, ETag and time of before and the login of now", u)
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
				t.Errorf("%q has seen up to %d, error %v; want %d", visitor, v.Seen, err, want)
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
				t.Errorf("%s: new version is %v, want %v", what, changed, want)
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
		made(t, s, c, 7)
		see("a deal", true)
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{NotModified: true}, noon, noon))
		see("a scan without news", false)
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "OCTOCAT"}))
		see("a rename", true)
	})
}

func TestAViewReturnsTheLastGistSeenByTheVisitor(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ci", UserID: 1, Seq: 4}, noon))
		testenv.Must(t, s.Set(t.Context(), gistdeal.SettingDealURL, "https://example.test/deal/"))
		v, err := s.View(t.Context(), "ci", "octocat")
		if err != nil || v.Seen != 4 || v.DealURL != "https://example.test/deal/" || v.UserID != 1 {
			t.Errorf("view is %+v, error %v", v, err)
		}
		if _, err := s.View(t.Context(), "ci", "nobody"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("nobody: %v, want not found", err)
		}
	})
}

func TestADatabaseOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{})
		testenv.Must(t, err)
		s.Exec(t, `INSERT INTO migrations VALUES (999)`)
		testenv.Must(t, s.Close())
		if _, err = store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "newer gistdeal") {
			t.Errorf("got %v, want a word about a newer gistdeal", err)
		}
	})
}

func TestADatabaseOfAnotherProgramIsRefusedAndUnchanged(t *testing.T) {
	t.Parallel()
	statements := []string{`CREATE TABLE users (name TEXT)`, `INSERT INTO users (name) VALUES ('bob')`}
	refused := func(t *testing.T, driver, database string) {
		t.Helper()
		db, err := sql.Open(driver, database)
		testenv.Must(t, err)
		for _, statement := range statements {
			_, err := db.ExecContext(t.Context(), statement)
			testenv.Must(t, err)
		}
		testenv.Must(t, db.Close())
		for range 2 {
			if _, err := store.Open(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program's tables; name") {
				t.Errorf("open: %v, want it refused with a hint", err)
			}
			if _, err := store.OpenReadOnly(t.Context(), database, store.Options{}); err == nil || !strings.Contains(err.Error(), "another program's tables") {
				t.Errorf("open to read: %v, want it refused", err)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "theirs.db")
		refused(t, "sqlite", path)
		content, err := os.ReadFile(path)
		testenv.Must(t, err)
		if journal := content[18]; journal != 1 {
			t.Errorf("the file's journal is of version %d now, want 1 as before", journal)
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		refused(t, "pgx", pgtest.URL(t))
	})
}

func TestProcessesMayOpenANewDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := store.Open(context.Background(), database, store.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}
