package store_test

import (
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
