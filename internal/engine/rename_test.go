package engine_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
)

const byNumber = "GET /user/{id}"

func TestARenamedUserWithoutGistsIsScannedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, FormerLists: true})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice"})
	r := w.startTracking("alice")
	w.sim.RenameUser("alice", "alicia")
	clock.add(25 * time.Hour)
	w.sim.AddGist("alicia", sim.Gist{ID: "a9"})
	w.eventually("the rename is noticed", func() bool {
		_, err := r.store.UserByLogin(t.Context(), "alicia")
		return err == nil
	})
	w.eventually("the new gist's deal", func() bool { return w.deals(r, "alicia")["a9"].State == gistdeal.DealCreated })
}

func TestAUserWithoutGistsIsLookedUpByNumberOnceADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, FormerLists: true})
	w.withoutGraphQL()
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice"})
	w.sim.AddUser(sim.User{Login: "busy", Gists: simGists("b", 2)})
	r := w.startTracking("alice")
	if err := w.track(r, "busy"); err != nil {
		t.Fatal(err)
	}
	for day := range 3 {
		for range 8 {
			clock.add(3*time.Hour + 20*time.Minute)
			for _, login := range []string{"alice", "busy"} {
				w.eventually(login+" is scanned", func() bool { return w.user(r, login).NextScanAt.After(clock.now()) })
			}
		}
		if got := w.count(byNumber); got != day+1 {
			t.Errorf("%d lookups by number after %d days, want one a day", got, day+1)
		}
		r.end() // A restart forgets nothing.
		r = w.start()
	}
	if got := w.count(lookUp); got != 2 {
		t.Errorf("%d lookups by login, want 2", got)
	}
}
