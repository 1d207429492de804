package store_test

import (
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// scannedUser tracks a user and records a scan with n gists.
func scannedUser(t *testing.T, s *store.Store, login string, id int64, n int) gistdeal.Probe {
	t.Helper()
	track(t, s, login, id)
	all := gists(login+"-", n)
	_, err := s.SaveGists(t.Context(), id, all, gistdeal.NewGistPolicy{First: true}, noon)
	testenv.Must(t, err)
	testenv.Must(t, s.Scanned(t.Context(), id, gistdeal.Listing{ETag: "e", Pages: 1}, noon, noon.Add(time.Hour)))
	p := gistdeal.Probe{Account: gistdeal.Account{ID: id, NodeID: "U_" + login, Login: login, PublicGists: n}}
	for _, g := range all[:min(n, gistdeal.ProbeLatest)] {
		p.Latest = append(p.Latest, g.ID)
	}
	return p
}

func TestAProbeRecordsAScanOnlyIfNothingHasChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change    func(t *testing.T, s *store.Store, p *gistdeal.Probe)
		unchanged bool
	}{
		"nothing":                   {func(*testing.T, *store.Store, *gistdeal.Probe) {}, true},
		"the spelling of the login": {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.Login = "ALICE" }, true},
		"the login":                 {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.Login = "alicia" }, false},
		"the count":                 {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.PublicGists++ }, false},
		"a newest gist":             {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.Latest[0] = "unknown" }, false},
		"a gist changed":            {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.UpdatedAt = noon.Add(time.Second) }, false},
		"the last known change":     {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.UpdatedAt = noon }, true},
		"a change that the list does not show": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			p.UpdatedAt = noon.Add(time.Second)
			testenv.Must(t, s.SetProbed(t.Context(), p.ID, p.UpdatedAt))
		}, true},
		"the answer is an error": {func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) {
			p.Err = gistdeal.Errorf(gistdeal.NotFound, "gone")
		}, false},
		"the count, by hidden gists known": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			p.PublicGists++
			testenv.Must(t, s.SetHidden(t.Context(), p.ID, 1))
		}, true},
		"a gist is gone": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			testenv.Must(t, s.MarkGone(t.Context(), p.ID, p.Latest[:2], noon))
		}, false},
		"a gone gist is not counted": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			testenv.Must(t, s.MarkGone(t.Context(), p.ID, p.Latest[:2], noon))
			p.Latest, p.PublicGists = p.Latest[:2], 2
		}, true},
		"the facts of a gist are missing": {func(t *testing.T, s *store.Store, _ *gistdeal.Probe) {
			s.Exec(t, `UPDATE gists SET updated_at = 0 WHERE id = 'alice-0002'`)
		}, false},
		"the facts of a gone gist are missing": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			s.Exec(t, `UPDATE gists SET updated_at = 0 WHERE id = 'alice-0001'`)
			testenv.Must(t, s.MarkGone(t.Context(), p.ID, p.Latest[:2], noon))
			p.Latest, p.PublicGists = p.Latest[:2], 2
		}, true},
		"the last scan failed": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			testenv.Must(t, s.ScanFailed(t.Context(), p.ID, "broken", noon))
		}, false},
		"the user was gone": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			testenv.Must(t, s.Gone(t.Context(), p.ID, false, "gone", noon, noon))
		}, false},
		"a deal waits for the end of the scan": {func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			_, err := s.SaveGists(t.Context(), p.ID, gists("held-", 1), gistdeal.NewGistPolicy{Hold: true}, noon)
			testenv.Must(t, err)
			p.PublicGists++
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				p := scannedUser(t, s, "alice", 1, 3)
				bob := scannedUser(t, s, "bob", 2, 0)
				c.change(t, s, &p)
				now, next := noon.Add(time.Hour), noon.Add(2*time.Hour)
				unchanged, err := s.RecordProbes(t.Context(), []gistdeal.Probe{p, bob}, now, func() time.Time { return next })
				testenv.Must(t, err)
				u, err := s.User(t.Context(), 1)
				testenv.Must(t, err)
				if unchanged[1] != c.unchanged || unchanged[1] != u.LastScanAt.Equal(now) || unchanged[1] && !u.NextScanAt.Equal(next) {
					t.Errorf("unchanged is %v, want %v, and the user %+v", unchanged[1], c.unchanged, u)
				}
				if want := p.Err == nil; (u.NodeID == "U_alice") != want {
					t.Errorf("the node id is %q, recorded should be %v", u.NodeID, want)
				}
				if !unchanged[2] {
					t.Error("a change of alice is one of bob")
				}
			})
		})
	}
}

func TestAProbeIsAFirstScanOnlyOfAUserWithoutGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		track(t, s, "bob", 2)
		probes := []gistdeal.Probe{
			{Account: gistdeal.Account{ID: 1, NodeID: "U_1", Login: "alice"}},
			{Account: gistdeal.Account{ID: 2, NodeID: "U_2", Login: "bob", PublicGists: 1}, Latest: []string{"a"}},
			{Account: gistdeal.Account{ID: 3, NodeID: "U_3", Login: "stranger"}},
		}
		unchanged, err := s.RecordProbes(t.Context(), probes, noon, func() time.Time { return noon })
		testenv.Must(t, err)
		if len(unchanged) != 1 || !unchanged[1] {
			t.Errorf("recorded %v, want the scan of user 1", unchanged)
		}
		if u, err := s.User(t.Context(), 1); err != nil || !u.LastScanAt.Equal(noon) || !u.FullScanAt.Equal(noon) {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

func TestAProbedUserIsTrackedTogetherWithItsFirstScanIfItHasNoGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		scannedUser(t, s, "carol", 3, 1)
		_, err := s.RemoveUsers(t.Context(), noon, 3)
		testenv.Must(t, err)
		next := noon.Add(time.Hour)
		for id, c := range map[int64]struct {
			login string
			gists int
			due   bool
		}{1: {"alice", 0, false}, 2: {"bob", 1, true}, 3: {"carol", 0, true}} { // Carol's gist is known.
			p := gistdeal.Probe{Account: gistdeal.Account{ID: id, Login: c.login, PublicGists: c.gists}}
			_, err := s.TrackProbed(t.Context(), p, gistdeal.BackfillAll, gistdeal.FirstScan{Next: next}, noon)
			testenv.Must(t, err)
			u, err := s.User(t.Context(), id)
			testenv.Must(t, err)
			if c.due != u.NextScanAt.Equal(noon) || c.due == u.NextScanAt.Equal(next) || c.due != u.LastScanAt.IsZero() {
				t.Errorf("%s: %+v, due should be %v", c.login, u, c.due)
			}
		}
	})
}

func TestNewUsersWithoutGistsAreTrackedTogetherWithTheirFirstScans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{EraseKey: "secret"})
		testenv.Must(t, err)
		defer s.Close()
		scannedUser(t, s, "carol", 3, 1) // Her gist is known.
		track(t, s, "Dave", 5)           // He has given his login to user 4.
		track(t, s, "erin", 6)
		_, err = s.RemoveUsers(t.Context(), noon, 3, 6)
		testenv.Must(t, err)
		_, err = s.Erase(t.Context(), gistdeal.User{ID: 6, Login: "erin"}, noon)
		testenv.Must(t, err)
		asked, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "alice"}, gistdeal.ScanRequest{Login: "BOB"}, gistdeal.ScanRequest{Login: "carol"},
			gistdeal.ScanRequest{Login: "dave"}, gistdeal.ScanRequest{Login: "erin"})
		testenv.Must(t, err)
		probes, next := []gistdeal.Probe{}, noon.Add(time.Hour)
		for i, id := range []int64{1, 2, 3, 4, 6} {
			asked[i].Backfill = gistdeal.BackfillNone
			probes = append(probes, gistdeal.Probe{Account: gistdeal.Account{ID: id, Login: asked[i].Login, NodeID: "node"}})
		}
		tracked, err := s.TrackNew(t.Context(), probes, asked, noon, func() time.Time { return next })
		if err != nil || !slices.Equal(tracked, []int{0, 1, 3}) {
			t.Fatalf("tracked %v, %v; want all but the erased user and the known one", tracked, err)
		}
		for _, id := range []int64{1, 2, 4} {
			u, err := s.User(t.Context(), id)
			testenv.Must(t, err)
			if !u.NextScanAt.Equal(next) || !u.LastScanAt.Equal(noon) || !u.FullScanAt.Equal(noon) || u.State != gistdeal.UserActive ||
				u.Backfill != gistdeal.BackfillNone || u.NodeID != "node" || u.LoginStale {
				t.Errorf("%+v, want it active and due later", u)
			}
		}
		if _, err := s.User(t.Context(), 3); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("%v, want that the removed user is left to a scan", err)
		}
		if u, err := s.User(t.Context(), 5); err != nil || !u.LoginStale {
			t.Errorf("%+v, %v; want that the login is another user's", u, err)
		}
		results, err := s.RequestResults(t.Context(), asked...)
		if err != nil || len(results) != 3 || !results["bob"].Added {
			t.Errorf("results %+v, %v; want that three are added", results, err)
		}
		entries, err := s.AuditLog(t.Context(), gistdeal.AuditFilter{Target: "alice"}, 0, 10)
		if err != nil || len(entries) != 1 || entries[0].UserID != 1 {
			t.Errorf("the audit log has %+v, %v; want the entry of user 1", entries, err)
		}
		s.CheckCounts(t)
	})
}

func TestTheSizeOfASweepCountsUsersAndRequests(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		scannedUser(t, s, "alice", 1, 3)
		track(t, s, "bob", 2)
		scannedUser(t, s, "carol", 3, 0)
		testenv.Must(t, s.Gone(t.Context(), 3, false, "gone", noon, noon))
		_, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "dave"})
		testenv.Must(t, err)
		if size, err := s.SweepSize(t.Context()); size != (gistdeal.SweepSize{Users: 4, Requested: 1, Unscanned: 1}) || err != nil {
			t.Errorf("%+v, %v, want 4 users, one of them requested and one never scanned", size, err)
		}
		later := noon.Add(2 * time.Hour)
		due, err := s.DueScanned(t.Context(), later, later.AddDate(1, 0, 0), 10)
		testenv.Must(t, err)
		if len(due) != 1 || due[0].ID != 1 || due[0].Pages != 1 {
			t.Errorf("%+v may be compared, want alice", due)
		}
	})
}
