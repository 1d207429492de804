package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// states returns the states of a user's deals by gist id.
func states(t *testing.T, s *store.Store, userID int64) map[string]gistdeal.DealState {
	t.Helper()
	all, err := s.GistsOf(t.Context(), userID)
	testenv.Must(t, err)
	byGist := map[string]gistdeal.DealState{}
	for _, g := range all {
		byGist[g.ID] = g.State
	}
	return byGist
}

// oneInEachState gives user 1 a deal in every state except that which waits for
// approval. The deals from a0001 to a0005 are created, failed, sending, skipped
// and queued.
func oneInEachState(t *testing.T, s *store.Store) {
	t.Helper()
	track(t, s, "octocat", 1)
	save(t, s, 1, gists("a", 5))
	recordCreated(t, s, claim(t, s, "me"), 70)
	testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "title is bad", noon))
	claim(t, s, "me")
	if _, err := s.Skip(t.Context(), gistdeal.DealFilter{GistIDs: []string{"a0004"}}, "not ours", noon); err != nil {
		t.Fatal(err)
	}
}

func TestARetryQueuesOnlyFailedAndSkippedDeals(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		done, err := s.Retry(t.Context(), gistdeal.DealFilter{UserID: 1}, noon.Add(time.Hour))
		testenv.Must(t, err)
		want := gistdeal.Changed{Deals: 2, Left: map[gistdeal.DealState]int{"created": 1, "sending": 1, "queued": 1}}
		if diff := cmp.Diff(want, done); diff != "" {
			t.Error(diff)
		}
		after := map[string]gistdeal.DealState{"a0001": "created", "a0002": "queued", "a0003": "sending", "a0004": "queued", "a0005": "queued"}
		if diff := cmp.Diff(after, states(t, s, 1)); diff != "" {
			t.Error(diff)
		}
		catchUp(t, s)
		// A person waits for the deal that failed.
		if c := claim(t, s, "me"); c.Draft.GistID != "a0002" || c.Attempt != 2 {
			t.Errorf("claimed attempt %d at %s, want attempt 2 at a0002", c.Attempt, c.Draft.GistID)
		}
	})
}

func TestASkipAppliesToUnsentDealsAndKeepsItsReason(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		done, err := s.Skip(t.Context(), gistdeal.DealFilter{GistIDs: []string{"a0001", "a0002", "a0003", "a0005"}}, "not ours", noon)
		testenv.Must(t, err)
		if diff := cmp.Diff(gistdeal.Changed{Deals: 2, Left: map[gistdeal.DealState]int{"created": 1, "sending": 1}}, done); diff != "" {
			t.Error(diff)
		}
		for state := range done.Left {
			if gistdeal.WhyNotSkipped[state] == "" {
				t.Errorf("there is no reason why a deal in state %s is not skipped", state)
			}
		}
		history, err := s.Explain(t.Context(), "a0002")
		if err != nil || history.State != gistdeal.DealSkipped || history.Problem != "not ours" {
			t.Errorf("deal is %+v, error %v; want skipped with the note", history.Deal, err)
		}
	})
}

func TestAFilterByStateLeavesOutOtherStates(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		done, err := s.Retry(t.Context(), gistdeal.DealFilter{UserID: 1, States: []gistdeal.DealState{gistdeal.DealFailed, gistdeal.DealCreated}}, noon)
		if err != nil || done.Deals != 1 {
			t.Errorf("%d deals retried, error %v; want the failed one", done.Deals, err)
		}
		done, err = s.Retry(t.Context(), gistdeal.DealFilter{UserID: 2}, noon)
		if err != nil || done.Deals != 0 || len(done.Left) != 0 {
			t.Errorf("another user: %+v, error %v; want nothing", done, err)
		}
	})
}

func TestDealsAreCountedByTheSameFilterAsTheyAreListed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		for _, f := range []gistdeal.DealFilter{
			{}, {UserID: 1}, {UserID: 2}, {States: []gistdeal.DealState{"failed", "skipped"}}, {Problem: "not ours"}, {GistIDs: []string{"a0001", "a0004", "x"}, States: []gistdeal.DealState{"skipped"}},
		} {
			listed, err := s.Deals(t.Context(), f, "", gistdeal.DealPlace{}, 100)
			testenv.Must(t, err)
			if n, err := s.CountDeals(t.Context(), f); n != len(listed) || err != nil {
				t.Errorf("%+v: %d counted, %d listed, %v", f, n, len(listed), err)
			}
		}
	})
}

func TestDealsAreSearchedAndOrderedByTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		track(t, s, "Hu_bot", 2)
		for i, id := range []string{"b1", "b2", "0123456789abcdef0123456789abcdef"} {
			later := noon.Add(time.Duration(i+1) * time.Hour)
			_, err := s.SaveGists(t.Context(), 2, []gistdeal.Gist{{ID: id, Description: "A 50% Faster parser"}}, gistdeal.NewGistPolicy{}, later)
			testenv.Must(t, err)
		}
		_, err := s.Skip(t.Context(), gistdeal.DealFilter{GistIDs: []string{"b1"}}, "", noon.Add(5*time.Hour))
		testenv.Must(t, err)
		ruled := gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{"c1": {Action: gistdeal.RuleHold, Rule: "no tests", Version: 2}}}
		_, err = s.SaveGists(t.Context(), 2, []gistdeal.Gist{{ID: "c1", Description: "ruled"}}, ruled, noon)
		testenv.Must(t, err)
		const id = "0123456789abcdef0123456789abcdef"
		for _, tt := range []struct {
			f    gistdeal.DealFilter
			o    gistdeal.DealOrder
			want []string
		}{
			{gistdeal.DealFilter{Search: "FASTER parser"}, "gist", []string{id, "b1", "b2"}},
			{gistdeal.DealFilter{Search: "50%"}, "-gist", []string{"b2", "b1", id}},
			{gistdeal.DealFilter{Search: "hu_b"}, "created", []string{"c1", "b1", "b2", id}},
			{gistdeal.DealFilter{Search: "u%b"}, "created", nil},
			{gistdeal.DealFilter{Search: id}, "", []string{id}},
			{gistdeal.DealFilter{Search: "a0003"}, "", []string{"a0003"}},
			{gistdeal.DealFilter{Search: "#70"}, "", []string{"a0001"}},
			{gistdeal.DealFilter{Search: "70"}, "", []string{"a0001"}},
			{gistdeal.DealFilter{UserID: 2}, "-created", []string{id, "b2", "b1", "c1"}},
			{gistdeal.DealFilter{UserID: 2}, "-updated", []string{"b1", id, "b2", "c1"}},
			{gistdeal.DealFilter{Rule: "no tests"}, "-updated", []string{"c1"}},
			{gistdeal.DealFilter{Rule: "no tests", UserID: 1}, "", nil},
			{gistdeal.DealFilter{Rule: "no"}, "", nil},
			{gistdeal.DealFilter{UpdatedSince: noon.Add(2 * time.Hour)}, "updated", []string{"b2", id, "b1"}},
			{gistdeal.DealFilter{UserID: 1}, "updated", []string{"a0001", "a0002", "a0003", "a0004", "a0005"}},
		} {
			var ids []string
			for place, more := (gistdeal.DealPlace{}), true; more; {
				page, err := s.Deals(t.Context(), tt.f, tt.o, place, 2)
				testenv.Must(t, err)
				for _, d := range page {
					ids, place = append(ids, d.GistID), tt.o.Place(d)
				}
				more = len(page) == 2
			}
			if diff := cmp.Diff(tt.want, ids); diff != "" {
				t.Errorf("%+v by %q: %s", tt.f, tt.o, diff)
			}
		}
		page, err := s.Deals(t.Context(), gistdeal.DealFilter{Search: "b1"}, "", gistdeal.DealPlace{}, 1)
		testenv.Must(t, err)
		if d := page[0]; !d.CreatedAt.Equal(noon.Add(time.Hour)) || !d.UpdatedAt.Equal(noon.Add(5*time.Hour)) {
			t.Errorf("created at %v, updated at %v", d.CreatedAt, d.UpdatedAt)
		}
	})
}

func TestDealsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oneInEachState(t, s)
		if _, err := s.Adopt(t.Context(), map[string]int64{"b": 9}, nil, noon); err != nil {
			t.Fatal(err)
		}
		list := func(f gistdeal.DealFilter) (ids []string) {
			t.Helper()
			for after := ""; ; {
				page, err := s.Deals(t.Context(), f, "", gistdeal.DealPlace{GistID: after}, 2)
				testenv.Must(t, err)
				if len(page) == 0 {
					return ids
				}
				for _, d := range page {
					ids = append(ids, d.GistID+" "+string(d.State)+" "+d.Login)
				}
				after = page[len(page)-1].GistID
			}
		}
		all := []string{"a0001 created octocat", "a0002 failed octocat", "a0003 sending octocat", "a0004 skipped octocat", "a0005 queued octocat", "b created "}
		if diff := cmp.Diff(all, list(gistdeal.DealFilter{})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(all[:5], list(gistdeal.DealFilter{UserID: 1})); diff != "" {
			t.Errorf("deals of one user: %s", diff)
		}
		created := gistdeal.DealFilter{States: []gistdeal.DealState{gistdeal.DealCreated, gistdeal.DealSkipped}, GistIDs: []string{"b", "a0001", "a0002"}}
		if diff := cmp.Diff([]string{all[0], all[5]}, list(created)); diff != "" {
			t.Errorf("deals by state and id: %s", diff)
		}
	})
}

func TestALargeFirstScanWaitsForApproval(t *testing.T) {
	t.Parallel()
	first := gistdeal.NewGistPolicy{First: true, Hold: true}
	for _, test := range []struct {
		name       string
		gists, max int
		awaiting   int
	}{
		{"as many as are allowed", 3, 3, 0},
		{"one more than is allowed", 4, 3, 4},
		{"no limit any more", 4, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				track(t, s, "octocat", 1)
				all := gists("a", test.gists)
				for _, page := range [][]gistdeal.Gist{all[:2], all[2:], all[:2]} {
					if _, err := s.SaveGists(t.Context(), 1, page, first, noon); err != nil {
						t.Fatal(err)
					}
				}
				if due, _, err := s.Due(t.Context()); due || err != nil {
					t.Fatalf("due before the end of the first scan: %v, error %v", due, err)
				}
				_, awaiting, err := s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{Threshold: test.max}, noon)
				if err != nil || awaiting != test.awaiting {
					t.Fatalf("%d deals await approval, error %v; want %d", awaiting, err, test.awaiting)
				}
				save(t, s, 1, []gistdeal.Gist{{ID: "later", CreatedAt: noon}})
				counts, err := s.DealsOf(t.Context(), 1)
				testenv.Must(t, err)
				if counts[gistdeal.DealAwaitingApproval] != test.awaiting || counts[gistdeal.DealQueued] != test.gists-test.awaiting+1 {
					t.Errorf("deals are %v, want %d that await approval and the others queued", counts, test.awaiting)
				}
				if n, err := s.Approve(t.Context(), 1, noon); n != test.awaiting || err != nil {
					t.Errorf("approved %d, error %v; want %d", n, err, test.awaiting)
				}
				if counts, err = s.DealsOf(t.Context(), 1); err != nil || counts[gistdeal.DealQueued] != test.gists+1 {
					t.Errorf("deals are %v after the approval, error %v; want all queued", counts, err)
				}
			})
		})
	}
}

func TestDealsAwaitingApprovalHaveAReasonAndAreAdopted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		if _, err := s.SaveGists(t.Context(), 1, gists("a", 2), gistdeal.NewGistPolicy{First: true, Hold: true}, noon); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{Threshold: 1}, noon); err != nil {
			t.Fatal(err)
		}
		history, err := s.Explain(t.Context(), "a0001")
		testenv.Must(t, err)
		if n, err := s.Adopt(t.Context(), map[string]int64{"a0002": 9}, nil, noon); len(n) != 1 || err != nil {
			t.Errorf("adopted %v, error %v; want the waiting deal that exists in Pipedrive", n, err)
		}
		if want := "awaiting approval: the first scan found 2 gists, more than GISTDEAL_APPROVAL_THRESHOLD (1)"; history.Problem != want {
			t.Errorf("problem is %q, want %q", history.Problem, want)
		}
	})
}

func TestADealThatWasDecidedMeanwhileIsNotQueuedByTheEndOfItsScan(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	track(t, s, "octocat", 1)
	_, err := s.SaveGists(t.Context(), 1, gists("a", 3), gistdeal.NewGistPolicy{First: true, Hold: true}, noon)
	testenv.Must(t, err)
	queued := 0
	s.OverlapWith(t, []string{
		`UPDATE deals SET state = 'sending' WHERE gist_id = 'a0001'`,
		`UPDATE deals SET state = 'skipped' WHERE gist_id = 'a0002'`,
	}, func() (err error) {
		queued, _, err = s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{}, noon)
		return err
	})
	counts, err := s.DealsOf(t.Context(), 1)
	testenv.Must(t, err)
	if queued != 1 || counts[gistdeal.DealSending] != 1 || counts[gistdeal.DealSkipped] != 1 || counts[gistdeal.DealQueued] != 1 {
		t.Errorf("%d deals were queued; the deals are %v", queued, counts)
	}
}

func TestNothingIsClaimedDuringAPause(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 2))
		sending := claim(t, s, "me")
		if ok, err := s.PausePushes(t.Context(), "quarter's end", noon); !ok || err != nil {
			t.Fatalf("pause: %v, error %v", ok, err)
		}
		if ok, err := s.PausePushes(t.Context(), "again", noon.Add(time.Hour)); ok || err != nil {
			t.Errorf("a second pause: %v, error %v; want false", ok, err)
		}
		p, err := s.PushPause(t.Context())
		if err != nil || p.String() != "paused by an operator since 2026-11-23T12:00:00Z: quarter's end" {
			t.Errorf("pause is %q, error %v", p, err)
		}
		due, _, err := s.Due(t.Context())
		testenv.Must(t, err)
		_, claimed, err := s.Claim(t.Context(), "me", noon, noon)
		testenv.Must(t, err)
		_, reclaimed, err := s.Reclaim(t.Context(), sending, 3, "me", noon, noon)
		testenv.Must(t, err)
		if due || claimed || reclaimed {
			t.Errorf("due %v, claimed %v, reclaimed %v; want all false", due, claimed, reclaimed)
		}
		if history, err := s.Explain(t.Context(), sending.Draft.GistID); err != nil || history.Attempts[0].Outcome != "" {
			t.Errorf("the attempt is %+v, error %v; want no outcome", history.Attempts, err)
		}
		if ok, err := s.ResumePushes(t.Context(), time.Now()); !ok || err != nil {
			t.Errorf("resume: %v, error %v", ok, err)
		}
		if p, err := s.PushPause(t.Context()); p.On() || err != nil {
			t.Errorf("paused after the resume: %v, error %v", p, err)
		}
		catchUp(t, s)
		claim(t, s, "me")
	})
}

func TestDealsThatPeopleMayHaveCreatedWaitForACatchUp(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 3)
		if _, err := s.SaveGists(t.Context(), 1, all[:1], gistdeal.NewGistPolicy{First: true}, noon); err != nil {
			t.Fatal(err)
		}
		want := func(when string, due, catchUp bool) {
			t.Helper()
			if gotDue, gotCatchUp, err := s.Due(t.Context()); gotDue != due || gotCatchUp != catchUp || err != nil {
				t.Errorf("%s: due %v, waiting for a catch-up %v, error %v; want %v, %v", when, gotDue, gotCatchUp, err, due, catchUp)
			}
			if !due {
				if c, ok, err := s.Claim(t.Context(), "me", noon, noon); ok || err != nil {
					t.Errorf("%s: claimed %s, error %v", when, c.Draft.GistID, err)
				}
			}
		}
		want("after a first scan", false, true)
		_, err := s.BeginCatchUp(t.Context(), false)
		testenv.Must(t, err)
		want("during the catch-up", false, true)
		if _, err := s.SaveGists(t.Context(), 1, all[1:2], gistdeal.NewGistPolicy{First: true}, noon); err != nil {
			t.Fatal(err)
		}
		testenv.Must(t, s.EndCatchUp(t.Context(), noon))
		want("after the catch-up, for a gist that was saved during it", true, true)
		if c := claim(t, s, "me"); c.Draft.GistID != all[0].ID {
			t.Errorf("claimed %s, want %s", c.Draft.GistID, all[0].ID)
		}
		want("after the claim", false, true)
		catchUp(t, s)
		claim(t, s, "me")
		save(t, s, 1, all[2:])
		want("after another scan", true, false)
		if _, err := s.PausePushes(t.Context(), "", noon); err != nil {
			t.Fatal(err)
		}
		want("during a pause", false, false)
		if _, err := s.ResumePushes(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		want("after a pause", false, true)
	})
}
