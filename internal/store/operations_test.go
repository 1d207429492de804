package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// begin stores an operation on the users with those keys.
func begin(t *testing.T, s *store.Store, kind gistdeal.OperationKind, keys ...string) string {
	t.Helper()
	items := make([]gistdeal.OperationItem, len(keys))
	for i, key := range keys {
		items[i] = gistdeal.OperationItem{N: i + 1, Input: key, Key: key}
	}
	o := gistdeal.Operation{ID: fmt.Sprintf("op of %s and %d", keys[0], len(keys)), Kind: kind, Caller: "ann", CreatedAt: noon, Note: "no spam", States: []gistdeal.DealState{gistdeal.DealFailed}}
	testenv.Must(t, s.AddOperation(t.Context(), o, items))
	return o.ID
}

func operationOf(t *testing.T, s *store.Store, id string) gistdeal.Operation {
	t.Helper()
	o, err := s.Operation(t.Context(), id)
	testenv.Must(t, err)
	return o
}

func TestEachItemIsDoneOnceWhoeverWorksAndWheneverItDies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		const users = 60
		s := open(t, database)
		keys := make([]string, users)
		for i := range keys {
			track(t, s, fmt.Sprintf("user%d", i), int64(i+1))
			keys[i] = fmt.Sprint(i + 1)
		}
		id := begin(t, s, gistdeal.OperationChangeUsers, keys...)
		died := errors.New("the process died")
		var processes sync.WaitGroup
		for p := range 3 {
			process := open(t, database)
			processes.Go(func() {
				for turn := 0; ; turn++ {
					dies := (turn+p)%3 == 0 // Before its commit, with half of the changes made.
					n, err := process.WorkOperation(t.Context(), id, false, 7, noon, func(ctx context.Context, items []gistdeal.OperationItem) error {
						for i := range items {
							if dies && i > len(items)/2 {
								return died
							}
							// A change that can be counted.
							if err := process.ScanFailed(ctx, int64(items[i].N), "x", noon); err != nil {
								return err
							}
							items[i].Result = "done"
						}
						if dies {
							return died
						}
						return nil
					})
					if err != nil && !errors.Is(err, died) {
						t.Error(err)
						return
					}
					if err == nil && n == 0 {
						return
					}
				}
			})
		}
		processes.Wait()
		o := operationOf(t, s, id)
		if o.State != gistdeal.OperationCompleted || o.Done != users || o.Results["done"] != users {
			t.Errorf("%+v, want %d items done", o, users)
		}
		for i := range users {
			if u, err := s.User(t.Context(), int64(i+1)); err != nil || u.Failures != 1 {
				t.Errorf("user %d was changed %d times, %v; want once", i+1, u.Failures, err)
			}
		}
	})
}

func TestAnOperationIsAddedOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		id := begin(t, s, gistdeal.OperationSkipDeals, "a", "b")
		begin(t, s, gistdeal.OperationSkipDeals, "a", "b")
		all, err := s.PendingOperations(t.Context())
		testenv.Must(t, err)
		want := gistdeal.Operation{
			ID: id, Kind: gistdeal.OperationSkipDeals, State: gistdeal.OperationQueued, Note: "no spam", Caller: "ann", Total: 2,
			States: []gistdeal.DealState{gistdeal.DealFailed}, Results: map[string]int{}, CreatedAt: noon,
		}
		if diff := cmp.Diff([]gistdeal.Operation{want}, all); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheProgressOfAnOperationIsToldWithoutReadingItsItems(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		id := begin(t, s, gistdeal.OperationChangeUsers, "a", "b", "c", "d", "e")
		for _, result := range []string{"paused", "refused"} {
			_, err := s.WorkOperation(t.Context(), id, false, 2, noon, func(_ context.Context, items []gistdeal.OperationItem) error {
				for i := range items {
					items[i].Result, items[i].Problem = result, result == "refused"
				}
				return nil
			})
			testenv.Must(t, err)
		}
		s.Exec(t, `DELETE FROM operation_items`)
		if o := operationOf(t, s, id); o.Done != 4 || o.Problems != 2 || o.Results["paused"] != 2 || o.Results["refused"] != 2 {
			t.Errorf("%+v, want 2 paused and 2 refused", o)
		}
	})
}

func TestProblemsOfAnOperationComeFirst(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		id := begin(t, s, gistdeal.OperationChangeUsers, "a", "b", "c", "d", "e")
		_, err := s.WorkOperation(t.Context(), id, false, 4, noon, func(_ context.Context, items []gistdeal.OperationItem) error {
			for i := range items {
				items[i].Result, items[i].Problem = "paused", i%2 == 1
			}
			return nil
		})
		testenv.Must(t, err)
		order := ""
		for after := (gistdeal.OperationItem{}); ; {
			items, err := s.OperationItems(t.Context(), id, after, 2)
			testenv.Must(t, err)
			for _, i := range items {
				order += i.Input
				after = i
			}
			if len(items) < 2 {
				break
			}
		}
		if o := operationOf(t, s, id); order != "bdace" || o.Problems != 2 || o.Done != 4 || o.State != gistdeal.OperationRunning {
			t.Errorf("the order is %s of %+v, want the two problems first", order, o)
		}
	})
}

func TestACanceledOperationEndsItsRequestsAndNobodyElses(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		id := begin(t, s, gistdeal.OperationAddUsers, "alice", "bob", "carol", "dave")
		other := begin(t, s, gistdeal.OperationAddUsers, "carol")
		for _, o := range []string{id, other} {
			_, err := s.WorkOperation(t.Context(), o, false, 3, noon, func(ctx context.Context, items []gistdeal.OperationItem) error {
				for i := range items {
					stored, err := s.RequestScan(ctx, noon, gistdeal.ScanRequest{Login: items[i].Key})
					if err != nil {
						return err
					}
					items[i].Request = stored[0].Number
				}
				return nil
			})
			testenv.Must(t, err)
		}
		ask(t, s, "bob", gistdeal.RequestFirstScan) // Somebody waits for bob.
		testenv.Must(t, s.CancelOperation(t.Context(), id, noon))
		if diff := cmp.Diff([]string{"bob", "carol"}, waiting(t, s, gistdeal.RequestTrack)); diff != "" {
			t.Error(diff)
		}
		if o := operationOf(t, s, id); o.State != gistdeal.OperationCanceling || o.Results["canceled"] != 2 || !o.EndedAt.IsZero() {
			t.Errorf("%+v, want it to wait for bob and carol", o)
		}
		if o := operationOf(t, s, other); o.Done != 0 {
			t.Errorf("%+v, want the other operation unchanged", o)
		}
	})
}

func TestAResultThatAnOperationWaitsForIsKept(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		id := begin(t, s, gistdeal.OperationAddUsers, "alice")
		asked := ask(t, s, "alice", gistdeal.RequestTrack)
		_, err := s.WorkOperation(t.Context(), id, false, 1, noon, func(_ context.Context, items []gistdeal.OperationItem) error {
			items[0].Request = asked.Number
			return nil
		})
		testenv.Must(t, err)
		_, err = s.Answer(t.Context(), asked, gistdeal.RequestResult{Added: true}, noon)
		testenv.Must(t, err)
		requestAt(t, s, gistdeal.ScanRequest{Login: "bob"}, noon.Add(48*time.Hour)) // No leader collected it for two days.
		if answers, err := s.RequestResults(t.Context(), asked); err != nil || !answers["alice"].Added {
			t.Errorf("%v, %v; want the result kept", answers, err)
		}
	})
}

func TestEndedOperationsAreDeletedAfter30Days(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		ended, pending := begin(t, s, gistdeal.OperationAddUsers, "alice"), begin(t, s, gistdeal.OperationAddUsers, "bob")
		testenv.Must(t, s.CancelOperation(t.Context(), ended, noon))
		for _, after := range []time.Duration{30 * 24 * time.Hour, 30*24*time.Hour + time.Minute} {
			testenv.Must(t, s.DeleteOperations(t.Context(), noon.Add(after)))
			_, err := s.Operation(t.Context(), ended)
			if gone := gistdeal.KindOf(err) == gistdeal.NotFound && err != nil; gone != (after > 30*24*time.Hour) {
				t.Errorf("%v after its end: %v", after, err)
			}
			operationOf(t, s, pending)
		}
	})
}

func TestAnIdempotencyKeyIsClaimedOnceADay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		key := gistdeal.IdempotencyKey{Caller: "ann", Key: "k", Request: "hash"}
		claim := func(k gistdeal.IdempotencyKey, name string, after time.Duration) (string, gistdeal.IdempotentAnswer) {
			claim, earlier, err := s.ClaimKey(t.Context(), k, name, noon.Add(after))
			testenv.Must(t, err)
			return claim, earlier
		}
		wantClaim := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("the claim is %q, want %q", got, want)
			}
		}
		got, _ := claim(key, "first", 0)
		wantClaim(got, "first")
		got, earlier := claim(key, "second", time.Minute)
		wantClaim(got, "")
		if earlier.Request != "hash" || earlier.Status != 0 {
			t.Errorf("%+v, want the first request in progress", earlier)
		}
		got, _ = claim(gistdeal.IdempotencyKey{Caller: "bob", Key: "k", Request: "hash"}, "bob's", time.Minute)
		wantClaim(got, "bob's")
		got, _ = claim(gistdeal.IdempotencyKey{Caller: "ann", Key: "k", Request: "other"}, "third", time.Hour)
		wantClaim(got, "")
		got, _ = claim(key, "fourth", 6*time.Minute) // The first process is gone; its claim goes on.
		wantClaim(got, "first")
		answer := gistdeal.IdempotentAnswer{Request: "hash", Status: 202, Location: "/there", Body: "{}"}
		testenv.Must(t, s.EndKey(t.Context(), key, "first", answer))
		testenv.Must(t, s.EndKey(t.Context(), key, "first", gistdeal.IdempotentAnswer{})) // The first process was not gone.
		got, earlier = claim(key, "fifth", 20*time.Hour)
		wantClaim(got, "")
		if diff := cmp.Diff(answer, earlier); diff != "" {
			t.Error(diff)
		}
		got, _ = claim(key, "sixth", 25*time.Hour)
		wantClaim(got, "sixth")
		testenv.Must(t, s.EndKey(t.Context(), key, "sixth", gistdeal.IdempotentAnswer{}))
		got, _ = claim(key, "seventh", 25*time.Hour)
		wantClaim(got, "seventh")
	})
}
