package store_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// deleteOld returns the numbers of rows that the parts of a deletion deleted, and their sum.
func deleteOld(t *testing.T, rows func(context.Context, time.Time) iter.Seq2[int, error], before time.Time) (parts []int, sum int) {
	t.Helper()
	for n, err := range rows(t.Context(), before) {
		testenv.Must(t, err)
		parts = append(parts, n)
		sum += n
	}
	return parts, sum
}

func attemptsAt(t *testing.T, s *store.Store, gistID string) int {
	t.Helper()
	h, err := s.Explain(t.Context(), gistID)
	testenv.Must(t, err)
	return len(h.Attempts)
}

// oldAttempts makes the deal of a0001 created, that of a0002 failed, that of a0003 created
// after it was sent again, and that of a0004 in doubt.
func oldAttempts(t *testing.T, s *store.Store) {
	t.Helper()
	track(t, s, "alice", 1)
	save(t, s, 1, gists("a", 4))
	recordCreated(t, s, claim(t, s, "me"), 71)
	testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "too long", noon))
	again, ok, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "me", noon, noon)
	if err != nil || !ok {
		t.Fatalf("reclaim: %v, %v", ok, err)
	}
	recordCreated(t, s, again, 73)
	claim(t, s, "me")
}

func TestOldAttemptsGoOnlyIfNothingNeedsThem(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oldAttempts(t, s)
		later := noon.Add(time.Millisecond)
		if _, n := deleteOld(t, s.DeleteAttempts, noon); n != 0 {
			t.Errorf("%d attempts that are not old were deleted", n)
		}
		if _, n := deleteOld(t, s.DeleteAttempts, later); n != 1 || attemptsAt(t, s, "a0001") != 0 {
			t.Errorf("%d attempts were deleted, want the one at the created deal", n)
		}
		for gist, want := range map[string]int{"a0002": 1, "a0003": 2, "a0004": 1} {
			if n := attemptsAt(t, s, gist); n != want {
				t.Errorf("%d attempts at %s are left, want %d: it failed, waits for its recheck or is in doubt", n, gist, want)
			}
		}
		if open, err := s.InDoubt(t.Context()); err != nil || len(open) != 1 || open[0].Draft.GistID != "a0004" {
			t.Errorf("in doubt are %+v, %v; want a0004", open, err)
		}
		resent, _, err := s.ResentGists(t.Context(), noon)
		if err != nil || !slices.Equal(resent, []string{"a0003"}) {
			t.Errorf("to recheck are %v, %v; want a0003", resent, err)
		}
		testenv.Must(t, s.MarkRechecked(t.Context(), resent, noon, later))
		if _, n := deleteOld(t, s.DeleteAttempts, later); n != 2 || attemptsAt(t, s, "a0003") != 0 {
			t.Errorf("%d attempts were deleted after the recheck, want 2", n)
		}
		// A deal that is made again at an operator's request has a number of its own.
		if ok, err := s.Recreate(t.Context(), "a0001", 71, noon); !ok || err != nil {
			t.Fatalf("recreate: %v, %v", ok, err)
		}
		if c := claim(t, s, "me"); c.Draft.GistID != "a0001" || c.Attempt != 2 || c.Resends != 0 {
			t.Errorf("the next claim is %+v, want the second attempt at a0001", c)
		}
	})
}

func TestDeletedAttemptsLeaveTheirFacts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		oldAttempts(t, s)
		before, err := s.CountsAndDays(t.Context(), noon)
		testenv.Must(t, err)
		deleteOld(t, s.DeleteAttempts, noon.Add(time.Millisecond))
		after, err := s.CountsAndDays(t.Context(), noon)
		if err != nil || !maps.Equal(before.Days, after.Days) || len(after.Days) != 1 || after.Days[noon.Format(time.DateOnly)].Deals != 2 {
			t.Errorf("the days were %+v and are %+v, %v", before.Days, after.Days, err)
		}
		// Only deals that we did not create say that another database was in use.
		foreign, err := s.ForeignDeals(t.Context(), map[string]int64{"a0001": 71, "a0002": 99})
		if err != nil || !slices.Equal(foreign, []string{"a0002"}) {
			t.Errorf("foreign are the deals of %v, %v; want a0002", foreign, err)
		}
		rows, err := s.AuditRows(t.Context(), "", 1)
		if err != nil || len(rows) != 1 || !rows[0].Ours {
			t.Errorf("an audit has %+v, %v; want a deal of ours", rows, err)
		}
	})
}

func TestADeletionHasSmallPartsAndReadsEachAttemptOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		// Every other deal failed, and all attempts ended at the same time.
		s.Exec(t, `INSERT INTO deals (gist_id, state, deal_id) SELECT 'g' || i, CASE i % 2 WHEN 0 THEN 'created' ELSE 'failed' END, CASE i % 2 WHEN 0 THEN i END FROM (`+numbers+`) numbers`)
		s.Exec(t, `INSERT INTO attempts (gist_id, n, owner, sent_at, remote_at, ended_at, outcome, deal_id)
			SELECT 'g' || i, 1, 'me', 1, 1, 86400000, CASE i % 2 WHEN 0 THEN 'created' ELSE 'refused' END, CASE i % 2 WHEN 0 THEN i END FROM (`+numbers+`) numbers`)
		parts, sum := deleteOld(t, s.DeleteAttempts, noon)
		if sum != 600 || len(parts) != 3 || slices.Max(parts) > 500 {
			t.Errorf("the parts deleted %v attempts, want 600 in three parts", parts)
		}
		if n := s.CountRows(t, "attempts"); n != 600 {
			t.Errorf("%d attempts are left, want the 600 at failed deals", n)
		}
	})
}

// numbers selects the numbers i from 1 to 1,200.
const numbers = `WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 1200) SELECT i FROM n`

func TestRunsThatEndedLongAgoAreDeleted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for i, ended := range []time.Time{noon, noon.Add(time.Hour), {}} { // The last one is in progress.
			_, err := s.StartRun(t.Context(), gistdeal.Run{Kind: gistdeal.RunSweep, StartedAt: noon, UpdatedAt: noon, Ended: ended, Done: i})
			testenv.Must(t, err)
		}
		if _, n := deleteOld(t, s.DeleteRuns, noon.Add(time.Minute)); n != 1 {
			t.Errorf("%d runs were deleted, want the first one", n)
		}
		runs, err := s.Runs(t.Context(), gistdeal.RunFilter{}, 0, 10)
		if err != nil || len(runs) != 2 || runs[1].Done != 1 {
			t.Errorf("%+v, %v; want the other two", runs, err)
		}
	})
}
