package reconcile

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestCatchUpsAreRareUnlessDealsWaitForThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &Reconciler{}
		r.again.end()
		for _, step := range []struct {
			wait             time.Duration
			idle, due, wants bool // whether a catch-up is due
		}{
			{0, false, false, false},
			{againFirst, false, false, true},
			{5 * time.Hour, false, false, true},
			{time.Hour, false, true, true},
			{18 * time.Hour, true, true, true},
		} {
			time.Sleep(step.wait)
			if idle, due, wants := r.CatchUpDue(false, false), r.CatchUpDue(true, false), r.CatchUpDue(false, true); idle != step.idle || due != step.due || wants != step.wants {
				t.Errorf("%v later: %v when idle, %v when a deal is due, %v when deals wait; want %+v", step.wait, idle, due, wants, step)
			}
		}
	})
}

func TestTheTimeBetweenCatchUpsGrowsInASeries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &Reconciler{}
		count := func(d time.Duration) (n int) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) { // Deals always wait.
				if r.CatchUpDue(true, true) {
					r.again.end()
					n++
				}
			}
			return n
		}
		if first, second := count(time.Hour), count(time.Hour); first > 35 || second > 12 {
			t.Errorf("%d catch-ups in the first hour and %d in the second, want 35 and 12 at most", first, second)
		}
		time.Sleep(againAtMost + againReset + time.Second)
		if n := count(2 * time.Second); n != 2 {
			t.Errorf("%d catch-ups within two seconds after a while, want 2", n)
		}
	})
}
