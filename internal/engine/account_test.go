package engine_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// vanished tracks alice, a user with a gist, and changes the simulator with
// vanish before the next scan.
func vanished(t *testing.T, vanish func(*world)) (*world, *run, *clock) {
	t.Helper()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	vanish(w)
	clock.add(4 * time.Hour)
	return w, r, clock
}

func TestASuspendedUserIsCheckedDailyThenWeeklyAndComesBack(t *testing.T) {
	t.Parallel()
	w, r, clock := vanished(t, func(w *world) { w.sim.SuspendUser("alice", true) })
	gone := func(times, days int) {
		w.eventually("alice is looked up", func() bool { return w.user(r, "alice").Failures == times })
		u := w.user(r, "alice")
		if u.State != gistdeal.UserGone || !strings.Contains(u.Problem, "suspended") {
			t.Errorf("alice is %s with the problem %q", u.State, u.Problem)
		}
		want := time.Duration(days) * 24 * time.Hour
		if wait := u.NextScanAt.Sub(clock.now()); wait > want || wait < want-time.Hour {
			t.Errorf("after %d lookups the next one is in %s, want %d days", times, wait, days)
		}
	}
	gone(1, 1)
	for range 8 { // Eight more lookups that failed.
		testenv.Must(t, r.store.ScanFailed(t.Context(), w.user(r, "alice").ID, "", clock.now().Add(time.Hour)))
	}
	clock.add(2 * time.Hour)
	gone(10, 7)
	w.sim.SuspendUser("alice", false)
	clock.add(7 * 24 * time.Hour)
	w.eventually("alice is back", func() bool {
		u := w.user(r, "alice")
		return u.State == gistdeal.UserActive && u.Problem == "" && u.Failures == 0
	})
}

func TestAUserThatBecomesAnOrganizationIsGoneWithAReason(t *testing.T) {
	t.Parallel()
	w, r, _ := vanished(t, func(w *world) { w.sim.ConvertUser("alice") })
	w.eventually("alice is gone", func() bool { return w.user(r, "alice").State == gistdeal.UserGone })
	if got := w.user(r, "alice").Problem; !strings.Contains(got, "organization") {
		t.Errorf("the problem is %q, want it to name an organization", got)
	}
	if got := len(w.deals(r, "alice")); got != 1 {
		t.Errorf("%d gists, want the 1 from before", got)
	}
}

func TestARenameIsDetectedIfTheOldLoginListsNothing(t *testing.T) {
	t.Parallel()
	w, r, _ := vanished(t, func(w *world) {
		w.sim.RenameUser("alice", "alicia")
		w.sim.AddUser(sim.User{Login: "alice"}) // another user without gists
		w.sim.AddGist("alicia", sim.Gist{ID: "a9"})
	})
	w.eventually("the rename is detected", func() bool {
		_, err := r.store.UserByLogin(t.Context(), "alicia")
		return err == nil
	})
	w.eventually("the new gist", func() bool { return w.deals(r, "alicia")["a9"].State == gistdeal.DealCreated })
}

func TestASweepKeepsTheReservedPartOfGitHubsQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/user") { // The quota is nearly spent; it resets in 2 s.
			rw.Header().Set("X-RateLimit-Limit", "5000")
			rw.Header().Set("X-RateLimit-Remaining", "500")
			rw.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Unix()+2, 10))
		}
		w.sim.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.sim.MakeGists("alice", 1)
	w.sim.MakeGists("bob", 1)
	r := w.startTracking("alice")
	w.sim.AddGist("alice", sim.Gist{})
	clock.add(4 * time.Hour)
	w.eventually("the sweep waits", func() bool { return w.log.Count("sweep waits") > 0 })
	if err := w.track(r, "bob"); err != nil {
		t.Errorf("bob, requested by a person: %v", err)
	}
	if got := r.Status().GitHub; !strings.HasPrefix(got, "on, but sweeps wait: the last 500 of the 5000 requests") {
		t.Errorf("the status of GitHub is %q", got)
	}
	w.eventually("the new gist", func() bool { return len(w.deals(r, "alice")) == 2 })
}

func TestATokenOfAnAppStopsAllScansWithAnExplanation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, AppToken: true})
	w.sim.MakeGists("alice", 1)
	r := w.start()
	if err := w.track(r, "alice"); gistdeal.KindOf(err) != gistdeal.Unauthorized {
		t.Errorf("alice: %v, want a refusal of the token", err)
	}
	if got := r.Status().GitHub; !strings.Contains(got, "set GITHUB_TOKEN to a personal access token") {
		t.Errorf("the status of GitHub is %q", got)
	}
	if u := w.user(r, "alice"); u.Failures > 0 {
		t.Errorf("the token is alice's failure: %q", u.Problem)
	}
}

func TestARestartDoesNotListPipelinesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 1)
	lists := func() int { return w.count("GET /api/v2/pipelines") }
	r := w.startTracking("alice")
	w.settled(r, "alice")
	r.end()
	if lists() != 1 {
		t.Fatalf("pipelines were listed %d times at the first start, want once", lists())
	}
	clock := newClock()
	w.options.Now = clock.now
	r = w.start()
	w.sim.MakeGists("alice", 1)
	if _, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow}); err != nil {
		t.Fatal(err)
	}
	w.settled(r, "alice")
	r.end()
	if lists() != 1 {
		t.Errorf("pipelines were listed %d times with a restart, want once: each list costs tokens", lists())
	}
	clock.add(2 * time.Hour)
	w.start()
	w.eventually("they are listed again after an hour", func() bool { return lists() == 2 })
}
