package pipedrive_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/pipedrive"
)

// interval is between the requests of a client that is allowed 10 a second,
// less the margin of 5 %.
const interval = time.Second * 100 / 950

func TestRequestsKeepTheirDistance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, pipedrive.DefaultURL, pipedrive.Options{Rate: 10})
		begun := time.Now()
		var starts []time.Time
		var mu sync.Mutex
		var waits sync.WaitGroup
		for range 40 {
			waits.Go(func() {
				if err := c.Reserve(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				starts = append(starts, time.Now())
			})
		}
		waits.Wait()
		if took := time.Since(begun); took < 39*interval || took > 40*interval {
			t.Errorf("40 requests took %v, want %v", took, 39*interval)
		}
		for i, start := range starts[1:] {
			if gap := start.Sub(starts[i]); gap < interval-time.Microsecond {
				t.Fatalf("requests %d and %d: %v apart, want %v", i, i+1, gap, interval)
			}
		}
		// The narrowest plan allows 20 in any 2 s.
		if window := starts[20].Sub(starts[0]); window <= 2*time.Second {
			t.Errorf("21 requests within %v", window)
		}
	})
}

func TestIdleTimeIsNotMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, pipedrive.DefaultURL, pipedrive.Options{Rate: 10})
		for range 3 {
			time.Sleep(time.Hour)
			begun := time.Now()
			for range 10 {
				if err := c.Reserve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begun); took < 9*interval || took > 10*interval {
				t.Errorf("10 requests after an idle hour took %v, want %v", took, 9*interval)
			}
		}
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, pipedrive.DefaultURL, pipedrive.Options{Rate: 0.001})
		if err := c.Reserve(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := c.Reserve(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

func TestAContextThatIsOverReservesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, pipedrive.DefaultURL, pipedrive.Options{Rate: 10})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			if err := c.Reserve(over); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
		}
		begun := time.Now()
		if err := c.Reserve(t.Context()); err != nil || time.Since(begun) != 0 {
			t.Errorf("waited %v: %v", time.Since(begun), err)
		}
	})
}
