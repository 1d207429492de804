package engine_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAfterAMachineSleptADealSentBeforeIsAdopted(t *testing.T) {
	t.Parallel()
	var slept atomic.Int64
	w := newWorld(t, sim.Options{Seed: 1, Now: func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "hang-after", Times: 1})
	r := w.startTracking("alice")
	w.eventually("the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	// During sleep the monotonic clock stands still and Pipedrive's clock does not.
	// The next answer shows the difference.
	slept.Store(int64(2 * time.Hour))
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
}

func TestAWrongDateHeaderDoesNotSpoilLookups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, ListDelay: 250 * time.Millisecond})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	w.sim.AddFault(sim.Fault{
		Match: "GET /api/v2/deals", Kind: "answer", Status: http.StatusBadGateway, After: 2, Times: 1,
		Header: map[string]string{"Date": time.Now().Add(3 * time.Hour).UTC().Format(http.TimeFormat)},
	})
	r := w.startTracking("alice")
	w.settled(r, "alice")
}

func TestLookupsFindADealIfAProxyWritesALateDateIntoAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, DateShift: 90 * time.Minute})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 5)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 5})
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
	w.wantPosts(6)
}

func TestTheDealOfTheFirstAttemptIsLookedUpAfterTheSecond(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	w := newWorld(t, sim.Options{Seed: 1, Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-after", Times: 1})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	w.sim.Set(func(o *sim.Options) { o.ListDelay = time.Hour })
	r := w.startTracking("alice")
	w.eventually("the first attempt", func() bool { return w.count(postDeal) == 1 })
	before := w.count("GET /api/v2/deals/archived")
	w.eventually("the first lookup", func() bool { return w.count("GET /api/v2/deals/archived") > before })
	later.Store(int64(20 * time.Minute))
	w.eventually("the second attempt", func() bool { return w.count(postDeal) == 2 })
	// The deal of the first attempt appears in lists an hour later.
	later.Store(int64(2 * time.Hour))
	w.settled(r, "alice")
	w.wantPosts(2)
}

func TestADealThatWasLostIsNotSentAgainForARemovedUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	r := w.startTracking("alice")
	w.eventually("the attempt is in doubt", func() bool { return w.log.Count("outcome unknown") > 0 })
	alice := w.user(r, "alice").ID
	if _, err := r.store.RemoveUsers(t.Context(), time.Now(), alice); err != nil {
		t.Fatal(err)
	}
	w.eventually("the deal is skipped", func() bool {
		gists, err := r.store.GistsOf(t.Context(), alice)
		testenv.Must(t, err)
		return gists[0].State == gistdeal.DealSkipped && gists[0].Problem == "the user was removed"
	})
	w.wantPosts(1)
}

func TestARejectedSecondAttemptStartsWithALookupAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "limit", Times: 1})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	lookups, posts := 0, 0
	for _, seen := range w.sim.Report().RequestLog {
		switch {
		case seen.Method == http.MethodPost && seen.Path == "/api/v2/deals":
			posts++
		case posts == 2 && strings.HasPrefix(seen.Path, "/api/v2/deals/archived"):
			lookups++
		}
	}
	if posts != 3 || lookups == 0 {
		t.Errorf("%d POSTs and %d lookups before the last, want 3 and at least one", posts, lookups)
	}
}

func TestARestartDoesNotShortenTheWaitForDealsThatAppearLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.options.ResendAfter = 4 * time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	w.loseDatabase()
	waits := func(r *run) func() bool {
		return func() bool { return strings.Contains(r.Status().Pushes, "another database made deals") }
	}
	second := w.start()
	w.eventually("pushes wait", waits(second))
	second.end()
	third := w.start()
	w.eventually("pushes still wait after a restart", waits(third))
}

func TestFieldsMissingFromAListAreNotCreatedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/dealFields?", Kind: "answer", Status: http.StatusOK, ContentType: "application/json", Body: `{"success":true,"data":[]}`, Times: 1})
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/dealFields", Kind: "answer", Status: http.StatusOK, ContentType: "application/json", Body: `{"success":true,"data":[]}`, Times: 1})
	w.restart()
	if got := w.count("POST /api/v2/dealFields"); got != 4 {
		t.Errorf("%d fields were created, want 4", got)
	}
}

func TestAClockSetBackDelaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	clock.add(1000 * time.Hour)
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	w.sim.AddFault(sim.Fault{Match: "GET /v1/users/me", Kind: "unauthorized", Times: 1})
	r := w.startTracking("alice")
	w.sim.AddGist("alice", sim.Gist{ID: "later"})
	clock.add(-1000 * time.Hour)
	w.eventually("the first deal", func() bool { return w.deals(r, "alice")["a0000"].State == gistdeal.DealCreated })
	w.eventually("the next scan", func() bool { return w.deals(r, "alice")["later"].State == gistdeal.DealCreated })
}

func TestPushesResumeAfterAllOutcomesAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "error-after", Times: 5})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.eventually("pushes are on", func() bool { return r.Status().Pushes == "on" })
}
