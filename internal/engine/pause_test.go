package engine_test

import (
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAPauseOfScansLeavesTheSweepAndTheFeedUntilItIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.options.FeedInterval = time.Millisecond
	w.sim.MakeGists("alice", 1)
	w.sim.MakeGists("bob", 1)
	r := w.startTracking("bob")
	bob := w.user(r, "bob")
	_, err := r.store.PauseAll(t.Context(), "move", time.Now())
	testenv.Must(t, err)
	r.end()
	r = w.start()
	w.eventually("both loops wait", func() bool { return w.log.Count("paused by an operator") >= 2 })
	feeds := w.count("GET /gists/public")
	w.sim.AddGist("bob", sim.Gist{ID: "meanwhile"})
	testenv.Must(t, r.store.DueNow(t.Context(), time.Now(), bob.ID))
	testenv.Must(t, w.track(r, "alice")) // A request is served all the same.
	if got := w.deals(r, "bob"); len(got) != 1 || w.count("GET /gists/public") != feeds {
		t.Errorf("during the pause bob has %d deals, and the feed was read %d times", len(got), w.count("GET /gists/public")-feeds)
	}
	_, err = r.store.ResumePushes(t.Context(), time.Now())
	testenv.Must(t, err)
	w.eventually("the gist is noticed", func() bool { return len(w.deals(r, "bob")) == 2 })
}
