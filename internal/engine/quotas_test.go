package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"

	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheReservedShareOfTheDayIsKeptAndDealsWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.Set(func(o *sim.Options) { o.DailyTokens = 300 })
	w.quotaReserve = 0.4
	w.sim.MakeGists("alice", 40)
	r := w.startTracking("alice")
	w.eventually("the share of background work is spent", func() bool { return strings.Contains(r.Status().Pushes, "of 300 tokens are reserved for people") })
	r.end() // Deals under way when the share was spent are created.
	created := w.sim.Report().Deals
	if created == 0 || created >= 40 {
		t.Errorf("%d deals were created, want some and not all", created)
	}
	// A restart does not reset the quota.
	r = w.start()
	w.eventually("the quota is still spent after a restart", func() bool { return strings.Contains(r.Status().Pushes, "for people") })
	if got := w.sim.Report().Deals; got != created {
		t.Errorf("%d deals were created after the share was spent", got-created)
	}
	r.end()
	// From now on the reserved share is smaller.
	w.quotaReserve = 0
	r = w.start()
	w.eventually("the rest of the quota is spent", func() bool { return w.sim.Report().Deals > created })
	w.sim.Set(func(o *sim.Options) { o.DailyTokens = 1000 })
	w.settled(r, "alice")
	w.eventually("events say that the quota was spent and is available again", func() bool {
		events, err := r.store.Events(t.Context(), gistdeal.EventQuery{Types: []gistdeal.EventType{gistdeal.EventQuotaSpent, gistdeal.EventQuotaRestored}, Limit: 100})
		if err != nil || len(events) < 2 || events[0].Remote != "Pipedrive" || !strings.Contains(events[0].Reason, "reserved for people") {
			return false
		}
		return events[len(events)-1].Type == gistdeal.EventQuotaRestored
	})
}

func TestOldEventsAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	db, err := store.Open(t.Context(), w.path, store.Options{})
	testenv.Must(t, err)
	defer db.Close()
	old := gistdeal.Event{Type: gistdeal.EventQuotaSpent, At: time.Now().Add(-48 * time.Hour)}
	testenv.Must(t, db.SaveQuotas(t.Context(), "{}", slices.Repeat([]gistdeal.Event{old}, 1200)...))
	testenv.Must(t, db.SaveQuotas(t.Context(), "{}", gistdeal.Event{Type: gistdeal.EventQuotaRestored, At: time.Now()}))
	w.options.KeepEvents = 24 * time.Hour
	w.start()
	w.eventually("only the new event is left", func() bool {
		events, err := db.Events(t.Context(), gistdeal.EventQuery{Types: []gistdeal.EventType{gistdeal.EventQuotaSpent, gistdeal.EventQuotaRestored}, Limit: 10})
		return err == nil && len(events) == 1 && events[0].Type == gistdeal.EventQuotaRestored
	})
}

func TestABanStopsAllRequestsEvenAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 30)
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "html403", After: 5})
	r := w.startTracking("alice")
	w.eventually("the status names the ban", func() bool { return strings.Contains(r.Status().Pushes, "banned this key") })
	w.eventually("the ban is stored", func() bool {
		text, err := r.store.Setting(t.Context(), gistdeal.KeyQuotas)
		return err == nil && strings.Contains(text, "banned this key")
	})
	w.eventually("nothing is under way", func() bool {
		return !slices.ContainsFunc(w.sim.Report().RequestLog, func(s sim.Seen) bool { return s.Status == 0 })
	})
	before := w.sim.Report()
	w.sim.ClearFaults()
	r.end()
	r = w.start()
	w.eventually("the engine has the lease", func() bool { return r.Status().Working })
	if !strings.Contains(r.Status().Pushes, "banned this key") {
		t.Errorf("after a restart: %q", r.Status().Pushes)
	}
	if err := w.track(r, "alice"); err != nil { // This takes time and causes events.
		t.Fatal(err)
	}
	if got := w.sim.Report(); got.Requests[postDeal] != before.Requests[postDeal] || got.Requests["GET /v1/users/me"] != before.Requests["GET /v1/users/me"] {
		t.Errorf("requests during a ban: %v, before %v", got.Requests, before.Requests)
	}
	if got := w.count(postDeal); got > 5+10 {
		t.Errorf("%d POSTs, want at most 10 more than the 5 before the ban", got)
	}
}

func TestABanInTheLastRequestBeforeAStopIsSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 1)
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "latency", Latency: time.Second})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "html403"})
	w.pushTimeout = 10 * time.Second
	r := w.startTracking("alice")
	w.eventually("the POST is under way", func() bool {
		return slices.ContainsFunc(w.sim.Report().RequestLog, func(s sim.Seen) bool { return strings.HasPrefix(s.Path, "/api/v2/deals") && s.Method == "POST" })
	})
	r.end()
	r = w.start()
	w.eventually("the engine has the lease", func() bool { return r.Status().Working })
	if !strings.Contains(r.Status().Pushes, "banned this key") {
		t.Errorf("after a restart: %q", r.Status().Pushes)
	}
}
