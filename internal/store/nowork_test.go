package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestRemovedAndPausedUsersLeaveNoWork(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		later := noon.Add(25 * time.Hour) // All are due.
		track(t, s, "alice", 1)
		track(t, s, "bob", 2)
		_, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "Alice", Kind: gistdeal.RequestScanNow}, gistdeal.ScanRequest{Login: "carol"})
		testenv.Must(t, err)
		_, err = s.RemoveUsers(t.Context(), noon, 1)
		testenv.Must(t, err)
		_, err = s.PauseUsers(t.Context(), noon, 2)
		testenv.Must(t, err)

		for name, find := range map[string]func() ([]gistdeal.User, error){
			"to scan":    func() ([]gistdeal.User, error) { return s.DueUsers(t.Context(), later, later, 10) },
			"to compare": func() ([]gistdeal.User, error) { return s.DueScanned(t.Context(), later, later, 10) },
			"in the feed": func() ([]gistdeal.User, error) {
				return s.UsersInFeed(t.Context(), []int64{1, 2})
			},
		} {
			if users, err := find(); len(users) > 0 || err != nil {
				t.Errorf("%d users %s, %v; want none", len(users), name, err)
			}
		}
		testenv.Must(t, s.AllDueNow(t.Context(), noon))
		if n, err := s.DueCount(t.Context(), later, later); n != 0 || err != nil {
			t.Errorf("%d users are due, %v", n, err)
		}
		if c, err := s.Counts(t.Context()); err != nil || !c.OldestDue.IsZero() {
			t.Errorf("a scan is due at %v, %v", c.OldestDue, err)
		}
		// Carol's request is pending; Alice's would have tracked her again.
		if size, err := s.SweepSize(t.Context()); size != (gistdeal.SweepSize{Users: 1, Requested: 1}) || err != nil {
			t.Errorf("the sweep has %+v, %v; want carol only", size, err)
		}
		pending, err := s.PendingRequests(t.Context(), gistdeal.RequestTrack, 10)
		if err != nil || len(pending) != 1 || pending[0].Login != "carol" {
			t.Errorf("pending requests %+v, %v; want carol's only", pending, err)
		}
		results, err := s.RequestResults(t.Context(), gistdeal.ScanRequest{Login: "alice"})
		if got := results["alice"].Err; err != nil || got == nil || got.Error() != "the user was removed" {
			t.Errorf("who waits for Alice's scan is told %v, %v", got, err)
		}
	})
}

func TestAnyNumberOfUsersIsRescheduled(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.FillUsers(t.Context(), 11_000, noon)) // More than one statement changes.
		const active = 11_000 * 97 / 100
		scanned := active - 11 // One of a thousand was not.
		n, err := s.BringForward(t.Context(), time.Minute, noon)
		testenv.Must(t, err)
		if n < int64(scanned)*9/10 || n > int64(scanned) { // The others are due within a minute or two.
			t.Errorf("%d users were rescheduled, want most of %d", n, scanned)
		}
		if n, err = s.BringForward(t.Context(), time.Minute, noon); n != 0 || err != nil {
			t.Errorf("%d users were rescheduled again, %v", n, err)
		}
		testenv.Must(t, s.AllDueNow(t.Context(), noon))
		if n, err := s.DueCount(t.Context(), noon, noon.Add(latest)); n != active || err != nil {
			t.Errorf("%d users are due, %v; want the active ones, %d", n, err, active)
		}
	})
}
