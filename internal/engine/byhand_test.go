package engine_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// firstCaughtUp waits until the engine has caught up for the first time with this database.
func (w *world) firstCaughtUp(r *run) {
	w.t.Helper()
	w.eventually("the first catch-up", func() bool {
		_, known, err := r.store.ArchivedDeals(w.t.Context())
		return err == nil && !known.IsZero()
	})
}

// restart starts an engine and waits until it has caught up.
func (w *world) restart() *run {
	w.t.Helper()
	before := w.count("GET /api/v2/deals/archived")
	r := w.start()
	w.eventually("the catch-up", func() bool { return w.count("GET /api/v2/deals/archived") > before })
	return r
}

// byHand creates the deal of each gist of a user by hand.
func (w *world) byHand(r *run, login string) {
	w.t.Helper()
	for id := range w.deals(r, login) {
		w.sim.AddGistDealByHand(login, id)
	}
}

func TestDealsCreatedByHandDuringAPauseAreAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	r := w.start()
	w.firstCaughtUp(r)
	if _, err := r.store.PausePushes(t.Context(), "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	w.sim.MakeGists("alice", 3)
	testenv.Must(t, w.track(r, "alice"))
	w.byHand(r, "alice")
	if _, err := r.store.ResumePushes(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice")
	w.wantPosts(0)
}

func TestDealsCreatedByHandBeforeTheApprovalAreAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.options.Limits.Threshold = 1
	w.sim.MakeGists("alice", 3)
	r := w.startTracking("alice")
	w.sim.MakeGists("bob", 1) // Deals of others are created meanwhile.
	testenv.Must(t, w.track(r, "bob"))
	w.eventually("bob's deal is created", func() bool { return w.anyDeal(r, "bob").State == gistdeal.DealCreated })
	w.byHand(r, "alice")
	if _, err := r.store.Approve(t.Context(), w.user(r, "alice").ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice", "bob")
	w.wantPosts(1, "for bob")
}

func TestADealCreatedByHandBeforeARetryIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 1)
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 1})
	r := w.startTracking("alice")
	w.eventually("the deal is refused", func() bool { return w.anyDeal(r, "alice").State == gistdeal.DealFailed })
	w.byHand(r, "alice")
	if _, err := r.store.Retry(t.Context(), gistdeal.DealFilter{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice")
	w.wantPosts(1)
}

func TestDealsCreatedByHandBeforeAFirstScanAreAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 1)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 3)})
	for _, g := range simGists("b", 2) {
		w.sim.AddGistDealByHand("bob", g.ID)
	}
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
	w.wantPosts(2, "one for each of the others")
}

func TestDealsCreatedByHandLongBeforeARestartAreAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.Set(func(o *sim.Options) { o.Now = clock.now })
	w.sim.MakeGists("alice", 1)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	clock.add(time.Hour)
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 1)})
	w.sim.AddGistDealByHand("bob", "b0000")
	for range 2 { // The newest attempt is much later than bob's deal.
		clock.add(4 * time.Hour)
		begin := clock.now()
		w.sim.MakeGists("alice", 1)
		w.eventually("alice's gist has its deal, and the scan has ended", func() bool {
			return w.sim.Report().Deals == w.count(postDeal)+1 && w.sim.Report().Gists == w.count(postDeal)+1 &&
				!w.user(r, "alice").LastScanAt.Before(begin.Truncate(time.Millisecond))
		})
	}
	r.end()
	r = w.start()
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
	w.wantPosts(3, "for alice's gists")
}

func TestManyFirstScansNeedFewLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	r := w.start()
	w.firstCaughtUp(r)
	before := w.count("GET /api/v2/deals/archived")
	logins := []string{"ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "joe", "kim", "lee", "max", "ned", "oli", "pia", "quin", "ray", "sue", "tom"}
	for _, login := range logins {
		w.sim.MakeGists(login, 1)
		testenv.Must(t, w.track(r, login))
	}
	w.settled(r, logins...)
	if got := w.count("GET /api/v2/deals/archived") - before; got > len(logins)-5 {
		t.Errorf("%d lists for %d first scans", got, len(logins))
	}
}
