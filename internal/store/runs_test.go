package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestRunsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "alice", 1)
		scan := gistdeal.Run{Kind: gistdeal.RunScan, UserID: 1, StartedAt: noon, UpdatedAt: noon, Ended: noon.Add(time.Second), Total: 2, Done: 2, Gists: 120, Requests: 3}
		push := gistdeal.Run{Kind: gistdeal.RunPush, StartedAt: noon, UpdatedAt: noon}
		for _, r := range []*gistdeal.Run{&scan, &push} {
			var err error
			r.ID, err = s.StartRun(t.Context(), *r)
			testenv.Must(t, err)
		}
		push.UpdatedAt, push.Done, push.Deals, push.Failed, push.Tokens, push.Requests = noon.Add(time.Minute), 12, 10, 2, 60, 12
		testenv.Must(t, s.UpdateRun(t.Context(), push))
		scan.Login = "alice"

		for _, c := range []struct {
			name   string
			filter gistdeal.RunFilter
			before int64
			want   []gistdeal.Run
		}{
			{"all", gistdeal.RunFilter{}, 0, []gistdeal.Run{push, scan}},
			{"the second part", gistdeal.RunFilter{}, push.ID, []gistdeal.Run{scan}},
			{"scans", gistdeal.RunFilter{Kinds: []gistdeal.RunKind{gistdeal.RunScan, gistdeal.RunSweep}}, 0, []gistdeal.Run{scan}},
			{"those of a user", gistdeal.RunFilter{UserID: 1}, 0, []gistdeal.Run{scan}},
			{"those that go on", gistdeal.RunFilter{InProgress: true}, 0, []gistdeal.Run{push}},
		} {
			got, err := s.Runs(t.Context(), c.filter, c.before, 10)
			testenv.Must(t, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
	})
}

func TestARunOfADeadInstanceIsEnded(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		r := gistdeal.Run{Kind: gistdeal.RunSweep, StartedAt: noon, UpdatedAt: noon.Add(time.Minute), Done: 7}
		var err error
		r.ID, err = s.StartRun(t.Context(), r)
		testenv.Must(t, err)
		testenv.Must(t, s.InterruptRuns(t.Context()))
		r.Done = 8
		testenv.Must(t, s.UpdateRun(t.Context(), r)) // By an instance that lost the lease unnoticed.
		got, err := s.Runs(t.Context(), gistdeal.RunFilter{}, 0, 10)
		testenv.Must(t, err)
		if len(got) != 1 || !got[0].Ended.Equal(r.UpdatedAt) || got[0].Done != 7 || got[0].Problem == "" {
			t.Errorf("%+v, want it ended at its last update, with a reason", got)
		}
	})
}

func TestOldRunsAreDeleted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		begin := func() {
			_, err := s.StartRun(t.Context(), gistdeal.Run{Kind: gistdeal.RunPush, StartedAt: noon})
			testenv.Must(t, err)
		}
		begin()
		begin()
		s.Exec(t, `UPDATE counters SET value = 10000 WHERE name = 'run_id'`)
		begin()
		got, err := s.Runs(t.Context(), gistdeal.RunFilter{}, 0, 10)
		testenv.Must(t, err)
		if len(got) != 2 || got[0].ID != 10_001 || got[1].ID != 2 {
			t.Errorf("%+v, want the last 10,000 numbers", got)
		}
	})
}
