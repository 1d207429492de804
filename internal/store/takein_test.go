package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"

	"github.com/google/go-cmp/cmp"
)

// complete returns a probe with all gists of a user, without raw URLs.
func complete(login string, id int64, n int) gistdeal.Probe {
	p := gistdeal.Probe{Account: gistdeal.Account{ID: id, NodeID: "U_" + login, Login: login, PublicGists: n}, Gists: gists(login+"-", n), Complete: true}
	for i, g := range p.Gists {
		g.Files[0].RawURL, p.Gists[i].Fork = "", new(false)
	}
	return p
}

func TestACompleteProbeIsTheFirstScanOfANewUser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backfill         gistdeal.Backfill
		first            gistdeal.FirstScan
		queued, awaiting int
		states           map[gistdeal.DealState]int
	}{
		"all":                  {gistdeal.BackfillAll, gistdeal.FirstScan{}, 3, 0, map[gistdeal.DealState]int{gistdeal.DealQueued: 3}},
		"all, oldest first":    {gistdeal.BackfillAll, gistdeal.FirstScan{Order: gistdeal.PushOldest}, 3, 0, map[gistdeal.DealState]int{gistdeal.DealQueued: 3}},
		"none":                 {gistdeal.BackfillNone, gistdeal.FirstScan{}, 0, 0, map[gistdeal.DealState]int{gistdeal.DealSkipped: 3}},
		"since a date":         {"2026-11-23", gistdeal.FirstScan{}, 3, 0, map[gistdeal.DealState]int{gistdeal.DealQueued: 3}},
		"below the threshold":  {gistdeal.BackfillAll, gistdeal.FirstScan{Limits: gistdeal.ApprovalLimits{Threshold: 3}}, 3, 0, map[gistdeal.DealState]int{gistdeal.DealQueued: 3}},
		"above the threshold":  {gistdeal.BackfillAll, gistdeal.FirstScan{Limits: gistdeal.ApprovalLimits{Threshold: 2}}, 0, 3, map[gistdeal.DealState]int{gistdeal.DealAwaitingApproval: 3}},
		"above the daily part": {gistdeal.BackfillAll, gistdeal.FirstScan{Limits: gistdeal.ApprovalLimits{Daily: 2}}, 2, 1, map[gistdeal.DealState]int{gistdeal.DealAwaitingApproval: 1, gistdeal.DealQueued: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				first := c.first
				first.Next = noon.Add(time.Hour)
				taken, err := s.TrackProbed(t.Context(), complete("alice", 1, 3), c.backfill, first, noon)
				testenv.Must(t, err)
				if taken.Queued != c.queued || taken.Awaiting != c.awaiting {
					t.Errorf("%d queued and %d awaiting, want %d and %d", taken.Queued, taken.Awaiting, c.queued, c.awaiting)
				}
				u, err := s.User(t.Context(), 1)
				testenv.Must(t, err)
				if diff := cmp.Diff(taken.User.LastScanAt, u.LastScanAt); diff != "" || !u.LastScanAt.Equal(noon) || !u.FullScanAt.Equal(noon) || !u.NextScanAt.Equal(first.Next) || !u.Unlinked || u.Pages != 1 {
					t.Errorf("%+v, want a first scan at noon", u)
				}
				states, err := s.DealsOf(t.Context(), 1)
				testenv.Must(t, err)
				if diff := cmp.Diff(c.states, states); diff != "" {
					t.Error(diff)
				}
				p := complete("alice", 1, 3)
				p.Latest = []string{"alice-0003"}
				if unchanged, err := s.RecordProbes(t.Context(), []gistdeal.Probe{p}, noon, func() time.Time { return noon }); err != nil || !unchanged[1] {
					t.Errorf("the same answer again: unchanged is %v, %v", unchanged, err)
				}
			})
		})
	}
}

func TestAProbeThatIsNoFirstScanLeavesTheUserToAScan(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, s *store.Store, p *gistdeal.Probe){
		"it lacks gists": func(_ *testing.T, _ *store.Store, p *gistdeal.Probe) { p.Complete = false },
		"the user was removed and its gists are known": func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			scannedUser(t, s, p.Login, p.ID, 4)
			_, err := s.RemoveUsers(t.Context(), noon, p.ID)
			testenv.Must(t, err)
		},
		"the first scan failed before": func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			track(t, s, p.Login, p.ID)
			testenv.Must(t, s.ScanFailed(t.Context(), p.ID, "broken", noon))
		},
		"the user is paused": func(t *testing.T, s *store.Store, p *gistdeal.Probe) {
			track(t, s, p.Login, p.ID)
			s.Exec(t, `UPDATE users SET state = 'paused'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				p := complete("alice", 1, 3)
				change(t, s, &p)
				before := s.CountRows(t, "gists")
				taken, err := s.TrackProbed(t.Context(), p, gistdeal.BackfillAll, gistdeal.FirstScan{Next: noon.Add(time.Hour)}, noon)
				testenv.Must(t, err)
				if u := taken.User; !u.LastScanAt.IsZero() || u.Unlinked || !u.NextScanAt.Equal(noon) {
					t.Errorf("%+v, want a user that is due", u)
				}
				if n := s.CountRows(t, "gists") - before; n != 0 || taken.Queued != 0 {
					t.Errorf("%d gists were stored and %d deals queued", n, taken.Queued)
				}
			})
		})
	}
}

func TestTagsThatWereAskedForBelongToTheNewUser(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		requestAt(t, s, gistdeal.ScanRequest{Login: "Alice", Tags: "vip"}, noon)
		joined := requestAt(t, s, gistdeal.ScanRequest{Login: "alice", Tags: "emea"}, noon)
		if again := requestAt(t, s, gistdeal.ScanRequest{Login: "alice"}, noon); joined.Number != 2 || again.Number != 2 {
			t.Errorf("the requests have the numbers %d and %d, want 2 until there are other tags", joined.Number, again.Number)
		}
		first := gistdeal.FirstScan{Next: noon.Add(time.Hour), Tags: []string{"vip"}}
		taken, err := s.TrackProbed(t.Context(), complete("alice", 1, 1), gistdeal.BackfillAll, first, noon)
		if u := taken.User; err != nil || !slices.Equal(u.Tags, []string{"emea", "vip"}) || !u.LastScanAt.IsZero() {
			t.Errorf("%+v, %v, want both tags, and a scan, because the decisions lacked one", u, err)
		}
		first.Tags = taken.User.Tags
		if taken, err = s.TrackProbed(t.Context(), complete("alice", 1, 1), gistdeal.BackfillAll, first, noon); err != nil || taken.User.LastScanAt.IsZero() {
			t.Errorf("%+v, %v, want no further scan", taken.User, err)
		}

		asked := []gistdeal.ScanRequest{{Login: "bob", Tags: "vip", Backfill: gistdeal.BackfillAll}, {Login: "carol", Backfill: gistdeal.BackfillAll}}
		asked, err = s.RequestScan(t.Context(), noon, asked...)
		testenv.Must(t, err)
		_, err = s.TrackNew(t.Context(), []gistdeal.Probe{complete("bob", 2, 0), complete("carol", 3, 0)}, asked, noon, func() time.Time { return noon })
		testenv.Must(t, err)
		for id, want := range map[int64][]string{1: {"emea", "vip"}, 2: {"vip"}, 3: nil} {
			if u, err := s.User(t.Context(), id); err != nil || !slices.Equal(u.Tags, want) {
				t.Errorf("user %d has the tags %q, %v, want %q", id, u.Tags, err, want)
			}
		}
	})
}

func TestATrackedUserGetsTheTagsThatWereAskedForUpToTwenty(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "alice", 1)
		requestAt(t, s, gistdeal.ScanRequest{Login: "alice", Tags: "vip"}, noon)
		u, err := s.AddRequestedTags(t.Context(), u)
		if stored, e := s.User(t.Context(), 1); err != nil || e != nil || !slices.Equal(stored.Tags, []string{"vip"}) || !slices.Equal(u.Tags, stored.Tags) {
			t.Errorf("%q, %v and stored %q, %v", u.Tags, err, stored.Tags, e)
		}
		for i := range 25 {
			requestAt(t, s, gistdeal.ScanRequest{Login: "alice", Tags: fmt.Sprint("tag-", i)}, noon)
		}
		if _, err := s.AddRequestedTags(t.Context(), u); gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%v, want Invalid for too many tags", err)
		}
	})
}

func TestFilesWithoutARawURLGetOneThatFollowsARename(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		p := complete("alice", 1, 1)
		p.Gists[0].Files[0].Name = "a b;c#?.md"
		_, err := s.TrackProbed(t.Context(), p, gistdeal.BackfillAll, gistdeal.FirstScan{Next: noon}, noon)
		testenv.Must(t, err)
		for _, login := range []string{"alice", "Alicia"} {
			testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: login}, noon))
			want := "https://gist.githubusercontent.com/" + login + "/alice-0001/raw/a%20b%3Bc%23%3F.md"
			if got := stored(t, s).Files[0].RawURL; got != want {
				t.Errorf("the raw URL is %s, want %s", got, want)
			}
		}
		v, err := s.View(t.Context(), "", "alicia")
		if err != nil || v.Linked || !v.Scanned {
			t.Errorf("%+v, %v, want a scanned user without raw URLs", v, err)
		}
		g := p.Gists[0]
		g.Files[0].RawURL = "https://example.test/raw"
		save(t, s, 1, []gistdeal.Gist{g})
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{ETag: "e", Pages: 1}, noon, noon))
		if v, err := s.View(t.Context(), "", "alicia"); err != nil || !v.Linked {
			t.Errorf("after a scan: %+v, %v", v, err)
		}
		if got := stored(t, s).Files[0].RawURL; got != "https://example.test/raw" {
			t.Errorf("the raw URL is %s, want GitHub's", got)
		}
	})
}
