package engine_test

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// steal takes the lease of the world's database as another process that crashes
// afterwards.
func (w *world) steal() {
	w.t.Helper()
	db, err := sql.Open("pgx", w.path)
	testenv.Must(w.t, err)
	defer db.Close()
	if _, err := db.ExecContext(w.t.Context(), `UPDATE lease SET owner = 'thief', counter = counter + 1`); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnEngineThatLosesTheLeaseWorksAgainWithANewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.path, w.lease = pgtest.URL(t), time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.steal()
	w.eventually("the engine loses the lease", func() bool { return !r.Status().Working })
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 5)})
	// The scan request waits for the next leader. The other process never renews
	// the lease, so this engine gets it back.
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
	w.wantPosts(10)
}

func TestADealSentBeforeTheLeaseWasLostIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.path, w.lease, w.pushTimeout = pgtest.URL(t), time.Second, 20*time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "slow", Latency: 2 * time.Second})
	r := w.startTracking("alice")
	w.eventually("the deal exists and its answer is still under way", func() bool { return w.sim.Report().Deals == 1 })
	w.steal()
	w.settled(r, "alice")
	w.eventually("the loss of the lease is logged", func() bool { return w.log.Count("lease lost") == 1 })
	if w.log.Count("deal created") != 1 || w.log.Count("deal adopted after a lookup") != 0 {
		t.Errorf("want the outcome recorded from the answer to the POST:\n%s", w.log)
	}
}

func TestTheInstanceThatTakesOverSaysHowLongNoneWorked(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(*world) string{
		"SQLite":     func(w *world) string { return w.path },
		"PostgreSQL": func(w *world) string { return pgtest.URL(w.t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{})
			w.path = path(w)
			clock := newClock()
			w.options.Now = clock.now
			first := w.start()
			w.eventually("the first instance works", func() bool { return first.Status().Working })
			clock.add(40 * time.Second) // Each is less than a minute, and both together are more.
			first.end()
			clock.add(40 * time.Second)
			second := w.start()
			w.eventually("the second instance works", func() bool { return second.Status().Working })
			second.end()
			if n := w.log.Count("no leader for a while"); n > 0 {
				t.Errorf("a first start and a short restart are told of %d times\n%s", n, w.log)
			}
			ended := clock.now()
			clock.add(time.Hour)
			third := w.start()
			var events []gistdeal.Event
			w.eventually("the event", func() (done bool) {
				var err error
				events, err = third.store.Events(t.Context(), gistdeal.EventQuery{Types: []gistdeal.EventType{gistdeal.EventLeaderMissed}, Limit: 10})
				testenv.Must(t, err)
				return len(events) > 0
			})
			e := events[0]
			if len(events) > 1 || e.Since.After(ended) || ended.Sub(e.Since) > 30*time.Second || e.At.Sub(ended) < time.Hour {
				t.Errorf("the events are %+v, want one about the hour after %v", events, ended)
			}
		})
	}
}

func TestAnOrphanedAttemptIsLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	alice := w.user(r, "alice")
	for n := range 10 {
		g := gistdeal.Gist{ID: "late" + string(rune('0'+n)), CreatedAt: time.Now()}
		if _, err := r.store.SaveGists(t.Context(), alice.ID, []gistdeal.Gist{g}, gistdeal.NewGistPolicy{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		// A process without the lease claims a deal and crashes. If the engine was
		// faster, it claims the deal of another gist.
		if _, ok, err := r.store.Claim(t.Context(), "dead", time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		} else if ok {
			break
		}
	}
	w.eventually("the gist of the dead process has its deal", func() bool {
		for _, d := range w.deals(r, "alice") {
			if d.State != gistdeal.DealCreated {
				return false
			}
		}
		return true
	})
	w.noDuplicates()
}

func TestInstancesWithDifferentClocksDuplicateNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.path, w.lease, w.pushTimeout, w.options.ResendAfter = pgtest.URL(t), time.Second, 2*time.Second, 4*time.Second
	var instances []*run
	for _, ahead := range []time.Duration{-time.Minute, 0, time.Minute} {
		w.options.Now = func() time.Time { return time.Now().Add(ahead) }
		instances = append(instances, w.start())
	}
	// Each instance leads in turn and is stopped at work. It leaves attempts with
	// the times of its own clock to an instance with another clock.
	for len(instances) > 1 {
		login := []string{"zero", "alice", "bob"}[len(instances)-1]
		w.sim.MakeGists(login, 20)
		w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 3})
		var worker, reader int
		w.eventually("an instance has the lease", func() bool {
			worker = slices.IndexFunc(instances, func(r *run) bool { return r.Status().Working })
			return worker >= 0
		})
		reader = (worker + 1) % len(instances)
		testenv.Must(t, w.track(instances[worker], login))
		if _, err := instances[reader].store.View(t.Context(), "anna", login); err != nil {
			t.Errorf("an instance does not see the gists that another one scanned: %v", err)
		}
		instances[worker].end()
		instances = slices.Delete(instances, worker, worker+1)
	}
	w.eventually("the last instance has the lease", func() bool { return instances[0].Status().Working })
	w.settled(instances[0], "alice", "bob")
}
