package engine_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// trackAll tracks users in the background, each with a gist that needs a scan, and returns the
// database.
func (w *world) trackAll(logins ...string) *store.Store {
	w.t.Helper()
	db := w.openStore()
	var requests []gistdeal.ScanRequest
	for _, login := range logins {
		w.sim.AddUser(sim.User{Login: login})
		w.sim.AddGist(login, largeGist())
		requests = append(requests, gistdeal.ScanRequest{Login: login})
	}
	w.ask(db, requests...)
	return db
}

// scanned waits until a scan of each of the users succeeded.
func (w *world) scanned(db *store.Store, logins ...string) {
	w.t.Helper()
	for _, login := range logins {
		w.eventually(login+" is scanned", func() bool {
			u, err := db.UserByLogin(w.t.Context(), login)
			return err == nil && !u.LastScanAt.IsZero()
		})
	}
}

// numbered returns n logins.
func numbered(n int) []string {
	logins := make([]string, n)
	for i := range logins {
		logins[i] = fmt.Sprintf("user-%d", i)
	}
	return logins
}

func TestAFailedScanDelaysItsUserAndNotTheSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddFault(sim.Fault{Match: "GET /users/broken/gists", Kind: "error-before"})
	w.sim.AddFault(sim.Fault{Match: "GET /users/worse/gists", Kind: "error-before"})
	others := numbered(10)
	db := w.trackAll(append([]string{"broken", "worse"}, others...)...)
	r := w.start()
	w.scanned(db, others...)
	for n := range 6 {
		w.eventually("the broken ones fail", func() bool {
			broken, worse := w.user(r, "broken"), w.user(r, "worse")
			return broken.Failures > n && worse.Failures > n
		})
		clock.add(10 * time.Minute)
	}
	if n := w.log.Count("sweep waits"); n > 0 {
		t.Errorf("the sweep waited %d times for two users\n%s", n, w.log)
	}
	if u := w.user(r, "broken"); u.NextScanAt.Before(clock.now().Add(-10*time.Minute)) || u.Problem == "" {
		t.Errorf("the broken user is due at %s: %q", u.NextScanAt, u.Problem)
	}
}

func TestTheSweepWaitsWhileTheScansOfManyUsersFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	users := numbered(20)
	for _, login := range users {
		w.sim.AddFault(sim.Fault{Match: "GET /users/" + login + "/gists", Kind: "error-before"})
	}
	db := w.trackAll(users...)
	w.start()
	w.eventually("the sweep waits", func() bool { return w.log.Count("sweep waits") > 0 })
	w.sim.ClearFaults()
	clock.add(time.Hour)
	w.scanned(db, users...)
}

func TestAHangingListHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddFault(sim.Fault{Match: "GET /users/slow/gists", Kind: "hang-before"})
	db := w.trackAll("slow")
	w.start()
	w.eventually("the list hangs", func() bool { return w.count(listGists) == 1 })
	w.trackAll("alice")
	w.scanned(db, "alice")
	if w.log.Count("scan failed") > 0 {
		t.Errorf("alice was scanned only after the hanging list had ended\n%s", w.log)
	}
}

func TestAListThatIsAlwaysLimitedHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddFault(sim.Fault{
		Match: "GET /users/heavy/gists", Kind: "answer", Status: http.StatusForbidden,
		Body: `{"message": "You have triggered an abuse detection mechanism for this user."}`,
	})
	others := numbered(10)
	db := w.trackAll(append([]string{"heavy"}, others...)...)
	r := w.start()
	w.scanned(db, others...)
	var wait time.Duration
	for n := range 6 {
		w.eventually("the list is limited", func() bool { return w.user(r, "heavy").Failures > n })
		u := w.user(r, "heavy")
		if next := u.NextScanAt.Sub(clock.now()); next <= wait {
			t.Errorf("failure %d: due in %s, want longer than %s before", n+1, next, wait)
		}
		wait = u.NextScanAt.Sub(clock.now())
		clock.add(wait)
	}
	if w.log.Count("backoff started")+w.log.Count("sweep waits") > 0 {
		t.Errorf("all scans were held up\n%s", w.log)
	}
	testenv.Must(t, w.track(r, "user-3"))
}
