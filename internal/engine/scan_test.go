package engine_test

import (
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAScanCreatesOneDealForEachGist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("Alice", 30)
	w.sim.AddUser(sim.User{Login: "nobody"})
	r := w.start()
	for _, login := range []string{"alice", "nobody"} {
		testenv.Must(t, w.track(r, login))
	}
	w.settled(r, "alice", "nobody")
	w.wantPosts(30)
}

func TestAScanSendsAsFewRequestsAsPossible(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.withoutGraphQL()
	w.options.ScanInterval = time.Hour
	clock := newClock()
	w.options.Now = clock.now
	w.sim.MakeGists("alice", 250)
	r := w.startTracking("alice")
	pages := func() int { return w.count(listGists) + w.count("GET /user/{id}/gists") }
	if got := pages(); got != 3 || w.count(lookUp) != 1 {
		t.Fatalf("first scan: %d pages and %d user requests, want 3 and 1", got, w.count(lookUp))
	}
	clock.add(2 * time.Hour)
	w.eventually("the second scan", func() bool { return w.user(r, "alice").LastScanAt.After(time.Now().Add(time.Hour)) })
	if got := pages(); got != 4 || w.count(lookUp) != 1 {
		t.Errorf("after the second scan: %d pages and %d user requests, want 4 and 1: one conditional request", got, w.count(lookUp))
	}
	clock.add(23 * time.Hour)
	w.eventually("the daily scan of all pages", func() bool { return pages() >= 7 })
}

func TestOneScanAnswersConcurrentRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, Latency: 20 * time.Millisecond})
	w.sim.MakeGists("alice", 120)
	r := w.start()
	w.eventually("the engine has the lease", func() bool { return r.Status().Working })
	var wg sync.WaitGroup
	for i := range 20 {
		login := []string{"alice", "Alice", "ALICE"}[i%3]
		wg.Go(func() {
			if err := w.track(r, login); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if w.count(lookUp) != 1 || w.count(listGists) != 1 {
		t.Errorf("%d user requests and %d first pages, want 1 and 1", w.count(lookUp), w.count(listGists))
	}
}

func TestAnInterruptedScanIsRepeatedFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.MakeGists("alice", 150)
	w.sim.AddFault(sim.Fault{Match: "GET /user/", Kind: "truncate", Times: 1})
	r := w.start()
	if err := w.track(r, "alice"); gistdeal.KindOf(err) != gistdeal.Temporary {
		t.Fatalf("got %v, want a temporary error: page 2 was cut off", err)
	}
	clock.add(time.Minute)
	w.settled(r, "alice")
	if got := len(w.deals(r, "alice")); got != 150 {
		t.Errorf("%d gists, want 150: a 304 after an interrupted scan would have hidden the rest", got)
	}
}

func TestTheSweepQueuesADealForANewGist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.MakeGists("alice", 3)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.AddGist("alice", sim.Gist{Description: "old, but public only now", CreatedAt: time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)})
	clock.add(4 * time.Hour)
	w.eventually("the new gist", func() bool { return len(w.deals(r, "alice")) == 4 })
	w.settled(r, "alice")
}

func TestAnEditedGistKeepsItsDealAndGetsItsNewFacts(t *testing.T) {
	t.Parallel()
	t.Run("a comparison shows it", func(t *testing.T) { t.Parallel(); editedGist(t, newWorld(t, sim.Options{Seed: 1})) })
	t.Run("each user is scanned", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, sim.Options{Seed: 1})
		w.withoutGraphQL()
		editedGist(t, w)
	})
}

func editedGist(t *testing.T, w *world) {
	t.Helper()
	clock := newClock()
	w.options.Now = clock.now
	created := clock.now().Add(-time.Hour)
	w.sim.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "a1", Description: "draft", Files: []sim.File{{Name: "a.go", Size: 7}}, CreatedAt: created}}})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.EditGist("a1", func(g *sim.Gist) {
		g.Description, g.Comments, g.UpdatedAt = "done", 2, clock.now()
		g.Files = []sim.File{{Name: "a.go", Language: "Go", Size: 7}, {Name: "b.md", Language: "Markdown", Size: 20}}
	})
	clock.add(4 * time.Hour)
	var g gistdeal.GistDeal
	w.eventually("the new facts", func() bool {
		all, err := r.store.GistsOf(t.Context(), w.user(r, "alice").ID)
		testenv.Must(t, err)
		g = all[0]
		return g.Description == "done"
	})
	if len(g.Files) != 2 || g.Size() != 27 || g.Files[1].Language != "Markdown" || *g.Comments != 2 || g.Fork != nil || !g.UpdatedAt.After(g.CreatedAt) {
		t.Errorf("%+v, want the facts of the edited gist", g)
	}
	w.wantPosts(1)
}

func TestUsersAreScannedAfterADowntime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.MakeGists("alice", 2)
	w.sim.MakeGists("bob", 2)
	first := w.start()
	for _, login := range []string{"alice", "bob"} {
		testenv.Must(t, w.track(first, login))
	}
	w.settled(first, "alice", "bob")
	first.end()
	w.sim.AddGist("alice", sim.Gist{})
	w.sim.AddGist("bob", sim.Gist{})
	clock.add(48 * time.Hour)
	second := w.start()
	w.eventually("both new gists", func() bool { return len(w.deals(second, "alice")) == 3 && len(w.deals(second, "bob")) == 3 })
	w.settled(second, "alice", "bob")
}

func TestAShorterIntervalAppliesToPlannedScans(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 1)
	w.options.ScanInterval = 3 * time.Hour
	w.startTracking("alice").end()
	w.sim.AddGist("alice", sim.Gist{ID: "a9"})
	w.options.ScanInterval = 200 * time.Millisecond
	r := w.start()
	w.settled(r, "alice")
}

func TestBackfillNoneCreatesDealsOnlyForLaterGists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.options.Backfill = gistdeal.BackfillNone
	w.sim.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{
		{ID: "old", CreatedAt: clock.now().Add(-time.Hour)}, {ID: "young", CreatedAt: clock.now().Add(time.Hour)},
	}})
	r := w.startTracking("alice")
	// It becomes public later with an old date. It is new here, so it gets a deal.
	w.sim.AddGist("alice", sim.Gist{ID: "flipped", CreatedAt: clock.now().Add(-2 * time.Hour)})
	clock.add(4 * time.Hour)
	w.eventually("two deals", func() bool {
		deals := w.deals(r, "alice")
		return deals["young"].State == gistdeal.DealCreated && deals["flipped"].State == gistdeal.DealCreated
	})
	if got := w.deals(r, "alice")["old"].State; got != gistdeal.DealSkipped {
		t.Errorf("the deal of the old gist is %s, want skipped", got)
	}
}

func TestARenamedUserKeepsItsGistsAndItsOldLoginMovesToItsNewOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.RenameUser("alice", "alicia")
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("b", 1)})
	w.sim.AddGist("alicia", sim.Gist{ID: "a9"})
	clock.add(4 * time.Hour)
	w.eventually("the rename is detected", func() bool {
		_, err := r.store.UserByLogin(t.Context(), "alicia")
		return err == nil
	})
	w.eventually("the new gist", func() bool { return w.deals(r, "alicia")["a9"].State == gistdeal.DealCreated })
	testenv.Must(t, w.track(r, "alice"))
	w.settled(r, "alice", "alicia")
	if got := len(w.deals(r, "alice")); got != 1 {
		t.Errorf("the new alice has %d gists, want 1 of her own", got)
	}
}

func TestADeletedUserIsGoneAndMayComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", ID: 5, Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.sim.DeleteUser("alice")
	clock.add(4 * time.Hour)
	state := func() gistdeal.UserState { return w.user(r, "alice").State }
	w.eventually("alice is gone", func() bool { return state() == gistdeal.UserGone })
	w.sim.AddUser(sim.User{Login: "alice", ID: 5, Gists: simGists("b", 1)})
	clock.add(25 * time.Hour)
	w.eventually("alice is back", func() bool { return state() == gistdeal.UserActive })
	w.eventually("her new gist", func() bool { return len(w.deals(r, "alice")) == 2 })
}

func TestASuccessSentBeforeALimitDoesNotEndIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 1)
	w.sim.MakeGists("bob", 1)
	w.sim.AddFault(sim.Fault{Match: "GET /users/bob/gists", Kind: "latency", Latency: 2 * time.Second})
	w.sim.AddFault(sim.Fault{Match: "GET /users/alice", Kind: "limit", Header: map[string]string{"Retry-After": "60"}})
	r := w.start()
	bob := make(chan error, 1)
	go func() { bob <- w.track(r, "bob") }()
	w.eventually("the scan of bob is under way", func() bool { return w.count(listGists) == 1 })
	if err := w.track(r, "alice"); gistdeal.KindOf(err) != gistdeal.Limited {
		t.Fatalf("alice: %v, want a limit", err)
	}
	testenv.Must(t, <-bob)
	if w.log.Count("backoff ended") > 0 {
		t.Errorf("the limit of alice was ended by a request sent before it:\n%s", w.log)
	}
}

func TestErrorsOfGitHubAreReturnedToTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "acme", Type: "Organization"})
	w.sim.AddUser(sim.User{Login: "robot", Type: "Bot"})
	r := w.start()
	for login, want := range map[string]gistdeal.Kind{"missing": gistdeal.NotFound, "acme": gistdeal.Invalid, "robot": gistdeal.Invalid, "a..b": gistdeal.Invalid} {
		if err := w.track(r, login); gistdeal.KindOf(err) != want {
			t.Errorf("%s: %v, want %s", login, err, want)
		}
	}
	if logins, err := r.store.Logins(t.Context()); len(logins) != 0 || err != nil {
		t.Errorf("tracked users are %v, error %v; want none", logins, err)
	}
}

func TestAGitHubLimitStopsAllScansAndIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 3)
	w.sim.AddFault(sim.Fault{Match: "GET /users", Kind: "limit", Times: 1})
	r := w.start()
	err := w.track(r, "alice")
	if gistdeal.KindOf(err) != gistdeal.Limited || gistdeal.RetryAfter(err) == 0 {
		t.Errorf("got %v, want a limit with a retry time", err)
	}
	if err := w.track(r, "bob"); gistdeal.KindOf(err) != gistdeal.Limited {
		t.Errorf("got %v for another user, want a limit without a request to GitHub", err)
	}
	if got := w.count(lookUp); got != 1 {
		t.Errorf("%d requests to GitHub, want 1", got)
	}
}

// clock is a running wall clock that tests can move.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func newClock() *clock { return &clock{} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func TestEachPageIsReadOnceADayAfterAClockWasAYearAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 101)})
	w.options.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	r := w.startTracking("alice")
	w.settled(r, "alice")
	r.end()
	w.options.Now = nil
	w.start()
	w.eventually("the second page is read again", func() bool { return w.count("GET /user/{id}/gists") == 2 })
}
