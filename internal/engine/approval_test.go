package engine_test

import (
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestALargeFirstScanCreatesDealsOnlyAfterApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.ApprovalThreshold = clock.now, 3
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

func TestAnInterruptedFirstScanCreatesNoDealsUntilItIsComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now, w.options.ApprovalThreshold = clock.now, 110
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
	if _, err := db.ResumePushes(t.Context()); err != nil {
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
	if _, err := r.store.RemoveUsers(t.Context(), w.user(r, "alice").ID); err != nil {
		t.Fatal(err)
	}
	w.eventually("the backoff ends", func() bool { return r.Status().Pushes == "on" })
}
