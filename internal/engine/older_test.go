package engine_test

import (
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// loseCommits lets alice get 5 deals, and bob 20 of which the database loses all
// commits. It returns once bob, unknown to the database by then, was tracked and scanned
// again. The database is away for less time than the lease lasts, so that nothing starts
// again by itself.
func (w *world) loseCommits() *run {
	w.t.Helper()
	server := pgtest.Start(w.t)
	w.path = server.URL(w.t)
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 5)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	server.Keep(w.t)
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 20)})
	testenv.Must(w.t, w.track(r, "bob"))
	w.settled(r, "bob")
	server.GoBack(w.t)
	w.eventually("the scan is accepted", func() bool { return w.track(r, "bob") == nil })
	return r
}

func TestADatabaseThatComesBackWithoutItsLastCommitsDuplicatesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	r := w.loseCommits()
	w.settled(r, "alice", "bob")
	w.wantPosts(25, "because all deals existed before the database went back")
}

func TestPushesWaitForDealsThatNoListShowsYetAfterCommitsWereLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{ListDelay: 5 * time.Second})
	w.options.ResendAfter = 6 * time.Second
	r := w.loseCommits()
	w.settled(r, "alice", "bob")
	w.wantPosts(25, "because all deals existed, though the first list did not show them")
}
