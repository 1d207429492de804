package engine_test

import (
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestADatabaseThatComesBackWithoutItsLastCommitsDuplicatesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	server := pgtest.Start(t)
	w.path = server.URL(t)
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	server.Keep(t)
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 20)})
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "bob")
	server.GoBack(t)
	// The database does not know bob or his deals any more, and it was away for less
	// time than the lease lasts, so that nothing starts again by itself.
	w.eventually("the scan is accepted", func() bool { return w.track(r, "bob") == nil })
	w.settled(r, "alice", "bob")
	w.wantPosts(25, "because all deals existed before the database went back")
}

func TestPushesWaitForDealsThatNoListShowsYetAfterCommitsWereLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{ListDelay: 5 * time.Second})
	server := pgtest.Start(t)
	w.path, w.options.ResendAfter = server.URL(t), 6*time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	server.Keep(t)
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 20)})
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "bob")
	server.GoBack(t)
	w.eventually("the scan is accepted", func() bool { return w.track(r, "bob") == nil })
	w.settled(r, "alice", "bob")
	w.wantPosts(25, "because all deals existed, though the first list did not show them")
}
