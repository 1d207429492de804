package engine_test

import (
	"fmt"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
)

func TestNothingOfGitHubsOwnListIsMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 3, FeedOmits: 0.3})
	clock := newClock()
	w.options.Now, w.options.FeedInterval = clock.now, 50*time.Millisecond
	logins := numbered(40)
	var secret []string
	for i, login := range logins {
		w.sim.AddUser(sim.User{Login: login, Gists: simGists(fmt.Sprintf("a%02d", i), 1)})
		secret = append(secret, w.sim.AddGist(login, sim.Gist{Secret: true, CreatedAt: time.Now().AddDate(-1, 0, 0)}))
	}
	r, _ := w.takeIn(logins...)
	posted := 0
	post := func(n int) {
		for range n {
			w.sim.AddGist(logins[posted%len(logins)], sim.Gist{ID: fmt.Sprintf("b%04d", posted)})
			posted++
		}
	}
	const feed = "GET /gists/public"
	for round := range 2 {
		post(7)
		read := w.count(feed)
		w.eventually("the feed is read", func() bool { return w.count(feed) > read+1 })

		w.sim.AddFault(sim.Fault{Match: feed, Kind: "error-before"})
		post(7)
		w.sim.PostStrangers(3100, time.Minute) // More than the feed holds.
		w.sim.ClearFaults()

		for _, id := range secret[round*10 : round*10+10] {
			w.sim.MakePublic(id)
		}
		name := fmt.Sprint("renamed-", round)
		w.sim.RenameUser(logins[round], name)
		logins[round] = name
		post(7)
		w.sim.DeleteGist(fmt.Sprintf("b%04d", posted-1)) // Perhaps before it is noticed.

		r.end()
		post(7)
		r = w.start()
		clock.add(4 * time.Hour) // The sweep finds what the feed has lost or left out.
		w.eventually("each gist that GitHub lists has its deal", func() bool { return len(w.sim.Report().WithoutDeal) == 0 })
	}
	w.noDuplicates()
	report := w.sim.Report()
	if want := 40 + 20 + posted - 2; report.Gists != want {
		t.Errorf("GitHub lists %d gists, want %d", report.Gists, want)
	}
	for _, login := range logins {
		w.eventually(login+" is known by its login", func() bool {
			u, err := r.store.UserByLogin(t.Context(), login)
			return err == nil && u.State == gistdeal.UserActive
		})
	}
}
