package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// ask queues a scan request for one login and returns it as it is stored.
func ask(t *testing.T, s *store.Store, login string, want gistdeal.Want) gistdeal.Ask {
	t.Helper()
	return askAt(t, s, gistdeal.Ask{Login: login, Want: want}, noon)
}

func askAt(t *testing.T, s *store.Store, a gistdeal.Ask, now time.Time) gistdeal.Ask {
	t.Helper()
	asked, err := s.Ask(t.Context(), now, a)
	testenv.Must(t, err)
	return asked[0]
}

// waiting returns the logins of the scan requests without a result, in order.
func waiting(t *testing.T, s *store.Store, least gistdeal.Want) []string {
	t.Helper()
	requests, err := s.WaitingAsks(t.Context(), least, 10)
	testenv.Must(t, err)
	logins := []string{}
	for _, a := range requests {
		logins = append(logins, a.Login)
	}
	return logins
}

func TestInteractiveScanRequestsGoFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for i, a := range []gistdeal.Ask{{Login: "bulk"}, {Login: "carol", Want: gistdeal.WantFirstScan}, {Login: "alice", Want: gistdeal.WantFirstScan}} {
			askAt(t, s, a, noon.Add(time.Duration(i)*time.Second))
		}
		if diff := cmp.Diff([]string{"carol", "alice", "bulk"}, waiting(t, s, gistdeal.WantTracked)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"carol", "alice"}, waiting(t, s, gistdeal.WantFirstScan)); diff != "" {
			t.Errorf("interactive requests: %s", diff)
		}
		testenv.Must(t, s.Requeue(t.Context(), gistdeal.Ask{Login: "carol", N: 1}, "GitHub is away", noon.Add(time.Hour)))
		if diff := cmp.Diff([]string{"alice", "carol"}, waiting(t, s, gistdeal.WantFirstScan)); diff != "" {
			t.Errorf("after carol was requeued: %s", diff)
		}
	})
}

func TestScanRequestsForOneLoginShareOneResult(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		first := ask(t, s, "Alice", gistdeal.WantFirstScan)
		if again := ask(t, s, "aLICE", gistdeal.WantTracked); again.N != first.N {
			t.Errorf("a request for less has number %d, want %d of the pending one", again.N, first.N)
		}
		more := ask(t, s, "alice", gistdeal.WantScan)
		if more.N == first.N {
			t.Error("a request for more was merged into the pending one")
		}
		if ok, err := s.Answer(t.Context(), first, gistdeal.Answer{}, noon); ok || err != nil {
			t.Errorf("the result of a replaced request: %v, error %v; want false", ok, err)
		}
		if ok, err := s.Answer(t.Context(), more, gistdeal.Answer{Added: true}, noon); !ok || err != nil {
			t.Errorf("result: %v, error %v; want true", ok, err)
		}
		for _, a := range []gistdeal.Ask{first, more} {
			answers, err := s.Answers(t.Context(), a)
			if err != nil || !answers["alice"].Added {
				t.Errorf("the results of request %d are %v, error %v; want alice added", a.N, answers, err)
			}
		}
	})
}

func TestARequestedBackfillIsNotLostToARequestWithoutOne(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		askAt(t, s, gistdeal.Ask{Login: "alice", Policy: gistdeal.FirstScanNew}, noon)
		ask(t, s, "alice", gistdeal.WantFirstScan)
		requests, err := s.WaitingAsks(t.Context(), gistdeal.WantTracked, 10)
		testenv.Must(t, err)
		if len(requests) != 1 || requests[0].Policy != gistdeal.FirstScanNew || requests[0].Want != gistdeal.WantFirstScan {
			t.Errorf("pending is %+v, want one request for a first scan with policy new", requests)
		}
	})
}

func TestARequestResultKeepsTheKindTextAndTimeOfItsError(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for _, want := range []error{
			gistdeal.Errorf(gistdeal.NotFound, "GitHub knows no such user"),
			&gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: 7 * time.Second, Err: gistdeal.Errorf(gistdeal.Limited, "slowly")},
			gistdeal.Errorf(gistdeal.Internal, "disk"),
		} {
			a := ask(t, s, "alice", gistdeal.WantFirstScan)
			if _, err := s.Answer(t.Context(), a, gistdeal.Answer{Err: want}, noon); err != nil {
				t.Fatal(err)
			}
			answers, err := s.Answers(t.Context(), a)
			testenv.Must(t, err)
			got := answers["alice"].Err
			if gistdeal.KindOf(got) != gistdeal.KindOf(want) || got.Error() != want.Error() || gistdeal.RetryAfter(got) != gistdeal.RetryAfter(want) {
				t.Errorf("the result is %v, want %v", got, want)
			}
		}
	})
}

func TestRequestResultsExpireAfterAnHourAndScanRequestsNever(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		answered := ask(t, s, "alice", gistdeal.WantFirstScan)
		ask(t, s, "bob", gistdeal.WantTracked)
		if _, err := s.Answer(t.Context(), answered, gistdeal.Answer{}, noon); err != nil {
			t.Fatal(err)
		}
		for i, later := range []time.Duration{time.Minute, 2 * time.Hour} {
			askAt(t, s, gistdeal.Ask{Login: "carol"}, noon.Add(later))
			answers, err := s.Answers(t.Context(), answered)
			if err != nil || len(answers) != 1-i {
				t.Errorf("after %v: %d results, error %v; want %d", later, len(answers), err, 1-i)
			}
		}
		if diff := cmp.Diff([]string{"bob", "carol"}, waiting(t, s, gistdeal.WantTracked)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheDefaultBackfillAppliesToNewUsersOnly(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "tracked", 1)
		removed := track(t, s, "removed", 2)
		_, err := s.RemoveUsers(t.Context(), removed.ID)
		testenv.Must(t, err)
		askAt(t, s, gistdeal.Ask{Login: "waiting", Policy: gistdeal.FirstScanAll}, noon)
		askAt(t, s, gistdeal.Ask{Login: "configured"}, noon)
		for i, tt := range []struct {
			ask  gistdeal.Ask
			want gistdeal.FirstScan
		}{
			{gistdeal.Ask{Login: "Tracked"}, ""},
			{gistdeal.Ask{Login: "Waiting"}, gistdeal.FirstScanAll},
			{gistdeal.Ask{Login: "configured"}, ""},
			{gistdeal.Ask{Login: "removed"}, gistdeal.FirstScanNew},
			{gistdeal.Ask{Login: "stranger"}, gistdeal.FirstScanNew},
			{gistdeal.Ask{Login: "tracked", Policy: gistdeal.FirstScanAll}, gistdeal.FirstScanAll},
			{gistdeal.Ask{Login: "waiting", Policy: gistdeal.FirstScanNew}, gistdeal.FirstScanNew},
		} {
			tt.ask.Otherwise = gistdeal.FirstScanNew
			askAt(t, s, tt.ask, noon)
			requests, err := s.WaitingAsks(t.Context(), gistdeal.WantTracked, 10)
			testenv.Must(t, err)
			for _, a := range requests {
				if gistdeal.LoginKey(a.Login) == gistdeal.LoginKey(tt.ask.Login) && a.Policy != tt.want {
					t.Errorf("%d: the request for %s has policy %q, want %q", i, tt.ask.Login, a.Policy, tt.want)
				}
			}
		}
	})
}
