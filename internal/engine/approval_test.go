package engine_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestALargeFirstScanCreatesDealsOnlyAfterApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.Limits.Threshold = clock.now, 3
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 4)})
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 3)})
	r := w.startTracking("alice")
	testenv.Must(t, w.track(r, "bob"))
	w.sim.AddGist("alice", sim.Gist{ID: "later"})
	clock.add(4 * time.Hour)
	w.eventually("the deals below the threshold are created", func() bool {
		return w.deals(r, "alice")["later"].State == gistdeal.DealCreated && w.sim.Report().Deals == 4
	})
	for id, d := range w.deals(r, "alice") {
		if id != "later" && d.State != gistdeal.DealAwaitingApproval {
			t.Errorf("%s is %s, want held", id, d.State)
		}
	}
	if _, err := r.store.Approve(t.Context(), w.user(r, "alice").ID, clock.now()); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice", "bob")
}

func TestALaterBatchOrDayOfOneUserOverTheThresholdAwaitsApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.Limits.Threshold = clock.now, 150
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 1)})
	r := w.startTracking("alice")
	testenv.Must(t, w.track(r, "bob"))
	state := func(want map[gistdeal.DealState]int) func() bool {
		return func() bool {
			u := w.user(r, "alice")
			counts, err := r.store.DealsOf(t.Context(), u.ID)
			return err == nil && cmp.Equal(counts, want) && u.NextScanAt.After(clock.now())
		}
	}
	w.eventually("the deal of the first scan", state(map[gistdeal.DealState]int{"created": 1}))
	// Two pages: the first one alone is below the threshold.
	w.sim.MakeGists("alice", 160)
	clock.add(4 * time.Hour)
	w.eventually("the batch awaits approval", state(map[gistdeal.DealState]int{"created": 1, "awaiting_approval": 160}))
	w.sim.MakeGists("alice", 100)
	clock.add(4 * time.Hour)
	w.eventually("a smaller batch is created", state(map[gistdeal.DealState]int{"created": 101, "awaiting_approval": 160}))
	w.sim.MakeGists("alice", 51)
	w.sim.AddGist("bob", sim.Gist{ID: "later"})
	clock.add(4 * time.Hour)
	w.eventually("what the day brings above it awaits approval", state(map[gistdeal.DealState]int{"created": 101, "awaiting_approval": 211}))
	w.eventually("another user is not concerned", func() bool {
		return w.deals(r, "bob")["later"].State == gistdeal.DealCreated && w.user(r, "bob").NextScanAt.After(clock.now())
	})
	w.sim.MakeGists("alice", 51)
	clock.add(24 * time.Hour)
	w.eventually("the next day they are created", state(map[gistdeal.DealState]int{"created": 152, "awaiting_approval": 211}))
	reasons := map[string]int{}
	for _, d := range w.deals(r, "alice") {
		reasons[d.Problem]++
	}
	for want, n := range map[string]int{
		"awaiting approval: a scan found 160 new gists, more than GISTDEAL_APPROVAL_THRESHOLD (150)":                 160,
		"awaiting approval: the user had 151 new gists within 24 hours, more than GISTDEAL_APPROVAL_THRESHOLD (150)": 51,
	} {
		if reasons[want] != n {
			t.Errorf("%d deals with the reason %q, want %d: %v", reasons[want], want, n, reasons)
		}
	}
	if _, err := r.store.Approve(t.Context(), w.user(r, "alice").ID, clock.now()); err != nil {
		t.Fatal(err)
	}
	r.Wake()
	w.settled(r, "alice", "bob")
}

func TestAScanThatWasCutOffLeavesNoDealWaitingForItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.Limits.Daily = clock.now, 1000
	w.sim.MakeGists("alice", 110)
	r := w.startTracking("alice")
	w.sim.MakeGists("alice", 10)
	w.sim.AddFault(sim.Fault{Match: "GET /user/", Kind: "truncate", Times: 1})
	clock.add(4 * time.Hour)
	w.eventually("page 2 is cut off, and read later", func() bool { clock.add(time.Minute); return w.sim.Report().Deals == 120 })
	w.settled(r, "alice")
}

func TestDealsOverTheDailyLimitOfAUserAwaitApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.Limits.Daily = clock.now, 3
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 2)})
	r := w.startTracking("alice")
	testenv.Must(t, w.track(r, "bob"))
	w.eventually("three of alice's and two of bob's deals", func() bool { return w.sim.Report().Deals == 5 })
	w.sim.AddGist("bob", sim.Gist{ID: "third"})
	w.sim.AddGist("bob", sim.Gist{ID: "fourth"})
	w.sim.AddGist("alice", sim.Gist{ID: "sixth"})
	clock.add(4 * time.Hour)
	w.eventually("one more of bob's", func() bool {
		return w.sim.Report().Deals == 6 && w.deals(r, "alice")["sixth"].State == gistdeal.DealAwaitingApproval && w.user(r, "alice").NextScanAt.After(clock.now())
	})
	want := "awaiting approval: the user had 4 new gists within 24 hours, more than GISTDEAL_DAILY_LIMIT (3)"
	if d := w.deals(r, "alice")["sixth"]; d.Problem != want {
		t.Errorf("the reason is %q, want %q", d.Problem, want)
	}
	w.sim.AddGist("alice", sim.Gist{ID: "tomorrow"})
	clock.add(24 * time.Hour)
	w.eventually("the next day has its own limit", func() bool { return w.deals(r, "alice")["tomorrow"].State == gistdeal.DealCreated })
}

func TestAnInterruptedFirstScanCreatesNoDealsUntilItIsComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.Limits.Threshold = clock.now, 110
	w.sim.MakeGists("alice", 120)
	w.sim.AddFault(sim.Fault{Match: "GET /user/", Kind: "truncate", Times: 1})
	r := w.start()
	if err := w.track(r, "alice"); gistdeal.KindOf(err) != gistdeal.Temporary {
		t.Fatalf("got %v, want a temporary error: page 2 was cut off", err)
	}
	r.end()
	clock.add(time.Minute)
	second := w.start()
	w.eventually("the first scan", func() bool { return !w.user(second, "alice").LastScanAt.IsZero() })
	if counts, err := second.store.DealsOf(t.Context(), w.user(second, "alice").ID); err != nil || counts[gistdeal.DealAwaitingApproval] != 120 {
		t.Errorf("deals are %v, error %v; want 120 that wait", counts, err)
	}
}

func TestThePauseStopsPushesAcrossARestartButNoScansOrLookups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	r := w.startTracking("alice")
	w.eventually("an attempt", func() bool { return w.count(postDeal) == 1 })
	db := w.openStore()
	if _, err := db.PausePushes(t.Context(), "quarter's end", time.Now()); err != nil {
		t.Fatal(err)
	}
	r.end()
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 2)})
	w.sim.AddUser(sim.User{Login: "carol", Gists: simGists("c", 2)})
	before := w.count("GET /api/v2/deals/archived")
	second := w.startTracking("bob")
	w.eventually("the catch-up and three lookups", func() bool { return w.count("GET /api/v2/deals/archived") == before+4 })
	testenv.Must(t, w.track(second, "carol"))
	w.wantPosts(1, "from before the pause")
	if _, err := db.ResumePushes(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	second.Wake()
	w.settled(second, "alice", "bob", "carol")
}

func TestARetryAfterAnAttemptPresumedLostStartsWithALookup(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	w := newWorld(t, sim.Options{Seed: 1, Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 1})
	w.sim.Set(func(o *sim.Options) { o.ListDelay = time.Hour })
	r := w.startTracking("alice")
	w.eventually("the second attempt is refused", func() bool { return w.deals(r, "alice")["a0000"].State == gistdeal.DealFailed })
	// The deal of the first attempt appears in lists only now.
	later.Store(int64(2 * time.Hour))
	done, err := r.store.Retry(t.Context(), gistdeal.DealFilter{GistIDs: []string{"a0000"}}, time.Now())
	if err != nil || done.Deals != 1 {
		t.Fatalf("%d deals retried, error %v; want 1", done.Deals, err)
	}
	r.Wake()
	w.settled(r, "alice")
	w.wantPosts(2, "the retry adopts the deal of the first attempt")
}

func TestABackoffEndsWhenNoDealIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 1)
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "limit", Header: map[string]string{"Retry-After": "2"}})
	r := w.startTracking("alice")
	w.eventually("pushes back off", func() bool { return w.log.Count("backoff started") > 0 })
	if _, err := r.store.RemoveUsers(t.Context(), time.Now(), w.user(r, "alice").ID); err != nil {
		t.Fatal(err)
	}
	w.eventually("the backoff ends", func() bool { return r.Status().Pushes == "on" })
}
