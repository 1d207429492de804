package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// ask queues a scan request for one login and returns it as it is stored.
func ask(t *testing.T, s *store.Store, login string, want gistdeal.RequestKind) gistdeal.ScanRequest {
	t.Helper()
	return requestAt(t, s, gistdeal.ScanRequest{Login: login, Kind: want}, noon)
}

func requestAt(t *testing.T, s *store.Store, a gistdeal.ScanRequest, now time.Time) gistdeal.ScanRequest {
	t.Helper()
	asked, err := s.RequestScan(t.Context(), now, a)
	testenv.Must(t, err)
	return asked[0]
}

// waiting returns the logins of the scan requests without a result, in order.
func waiting(t *testing.T, s *store.Store, least gistdeal.RequestKind) []string {
	t.Helper()
	requests, err := s.PendingRequests(t.Context(), least, 10)
	testenv.Must(t, err)
	logins := []string{}
	for _, a := range requests {
		logins = append(logins, a.Login)
	}
	return logins
}

func TestTheNumberOfPendingRequestsIsLimitedUnderConcurrency(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		const most = 20
		refused := atomic.Int64{}
		var wg sync.WaitGroup
		for instance := range 4 {
			s, err := store.Open(t.Context(), database, store.Options{MaxRequests: most})
			testenv.Must(t, err)
			defer s.Close()
			for client := range 3 {
				wg.Go(func() {
					for n := range 4 {
						_, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: fmt.Sprintf("user-%d-%d-%d", instance, client, n)})
						if gistdeal.KindOf(err) == gistdeal.Limited {
							refused.Add(1)
						} else if err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		s := open(t, database)
		pending, err := s.ListRequests(t.Context(), "", 100)
		if err != nil || len(pending) != most || refused.Load() != 48-most {
			t.Errorf("%d requests are pending, %d refused, %v; want %d and %d", len(pending), refused.Load(), err, most, 48-most)
		}
	})
}

func TestACanceledRequestEndsWithAResult(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		requests, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "Alice"}, gistdeal.ScanRequest{Login: "bob"}, gistdeal.ScanRequest{Login: "carol"})
		testenv.Must(t, err)
		if n, err := s.CancelRequests(t.Context(), "alice", noon); n != 1 || err != nil {
			t.Errorf("%d canceled, %v; want 1", n, err)
		}
		results, err := s.RequestResults(t.Context(), requests...)
		if err != nil || len(results) != 1 || gistdeal.KindOf(results["alice"].Err) != gistdeal.Invalid {
			t.Errorf("%v, %v; want that alice's request was canceled", results, err)
		}
		pending, err := s.ListRequests(t.Context(), "bob", 10)
		if err != nil || len(pending) != 1 || pending[0].Login != "carol" || !pending[0].RequestedAt.Equal(noon) {
			t.Errorf("%+v, %v; want carol's request", pending, err)
		}
		if n, err := s.CancelRequests(t.Context(), "", noon); n != 2 || err != nil {
			t.Errorf("%d canceled, %v; want the other 2", n, err)
		}
	})
}

func TestInteractiveScanRequestsGoFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for i, a := range []gistdeal.ScanRequest{{Login: "bulk"}, {Login: "carol", Kind: gistdeal.RequestFirstScan}, {Login: "alice", Kind: gistdeal.RequestFirstScan}} {
			requestAt(t, s, a, noon.Add(time.Duration(i)*time.Second))
		}
		if diff := cmp.Diff([]string{"carol", "alice", "bulk"}, waiting(t, s, gistdeal.RequestTrack)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"carol", "alice"}, waiting(t, s, gistdeal.RequestFirstScan)); diff != "" {
			t.Errorf("interactive requests: %s", diff)
		}
		testenv.Must(t, s.RequeueRequest(t.Context(), gistdeal.ScanRequest{Login: "carol", Number: 1}, "GitHub is away", noon.Add(time.Hour)))
		if diff := cmp.Diff([]string{"alice", "carol"}, waiting(t, s, gistdeal.RequestFirstScan)); diff != "" {
			t.Errorf("after carol was requeued: %s", diff)
		}
	})
}

func TestScanRequestsForOneLoginShareOneResult(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		first := ask(t, s, "Alice", gistdeal.RequestFirstScan)
		if again := ask(t, s, "aLICE", gistdeal.RequestTrack); again.Number != first.Number {
			t.Errorf("a request for less has number %d, want %d of the pending one", again.Number, first.Number)
		}
		more := ask(t, s, "alice", gistdeal.RequestScanNow)
		if more.Number == first.Number {
			t.Error("a request for more was merged into the pending one")
		}
		if ok, err := s.Answer(t.Context(), first, gistdeal.RequestResult{}, noon); ok || err != nil {
			t.Errorf("the result of a replaced request: %v, error %v; want false", ok, err)
		}
		if ok, err := s.Answer(t.Context(), more, gistdeal.RequestResult{Added: true}, noon); !ok || err != nil {
			t.Errorf("result: %v, error %v; want true", ok, err)
		}
		for _, a := range []gistdeal.ScanRequest{first, more} {
			answers, err := s.RequestResults(t.Context(), a)
			if err != nil || !answers["alice"].Added {
				t.Errorf("the results of request %d are %v, error %v; want alice added", a.Number, answers, err)
			}
		}
	})
}

func TestARequestedBackfillIsNotLostToARequestWithoutOne(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		requestAt(t, s, gistdeal.ScanRequest{Login: "alice", Backfill: gistdeal.BackfillNone}, noon)
		ask(t, s, "alice", gistdeal.RequestFirstScan)
		requests, err := s.PendingRequests(t.Context(), gistdeal.RequestTrack, 10)
		testenv.Must(t, err)
		if len(requests) != 1 || requests[0].Backfill != gistdeal.BackfillNone || requests[0].Kind != gistdeal.RequestFirstScan {
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
			a := ask(t, s, "alice", gistdeal.RequestFirstScan)
			if _, err := s.Answer(t.Context(), a, gistdeal.RequestResult{Err: want}, noon); err != nil {
				t.Fatal(err)
			}
			answers, err := s.RequestResults(t.Context(), a)
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
		answered := ask(t, s, "alice", gistdeal.RequestFirstScan)
		ask(t, s, "bob", gistdeal.RequestTrack)
		if _, err := s.Answer(t.Context(), answered, gistdeal.RequestResult{}, noon); err != nil {
			t.Fatal(err)
		}
		for i, later := range []time.Duration{time.Minute, 2 * time.Hour} {
			requestAt(t, s, gistdeal.ScanRequest{Login: "carol"}, noon.Add(later))
			answers, err := s.RequestResults(t.Context(), answered)
			if err != nil || len(answers) != 1-i {
				t.Errorf("after %v: %d results, error %v; want %d", later, len(answers), err, 1-i)
			}
		}
		if diff := cmp.Diff([]string{"bob", "carol"}, waiting(t, s, gistdeal.RequestTrack)); diff != "" {
			t.Error(diff)
		}
	})
}
