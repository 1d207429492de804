package engine_test

import (
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// changes returns the events about edits and deletions of gists, as type and gist.
func (r *run) changes() (all []string) {
	r.t.Helper()
	events, err := r.store.Events(r.t.Context(), gistdeal.EventQuery{
		Types: []gistdeal.EventType{gistdeal.EventGistEdited, gistdeal.EventGistDeleted, gistdeal.EventGistRestored}, Limit: 1000,
	})
	testenv.Must(r.t, err)
	for _, e := range events {
		all = append(all, string(e.Type)+" "+e.GistID)
	}
	return all
}

func TestAGistIsDeletedOnlyByACompleteList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.withoutGraphQL()
	clock := newClock()
	w.options.Now, w.options.Backfill = clock.now, gistdeal.BackfillNone
	w.sim.AddUser(sim.User{Login: "alice", ID: 5, Gists: simGists("a", 103)}) // Two pages.
	w.sim.AddUser(sim.User{Login: "bob", Gists: simGists("b", 1)})
	r := w.startTracking("alice")
	testenv.Must(t, w.track(r, "bob"))

	w.sim.AddFault(sim.Fault{Match: "GET /user/5/gists", Kind: "error-before"}) // The second page.
	w.sim.DeleteGist("a0000")
	w.sim.EditGist("a0001", func(g *sim.Gist) { g.Secret = true })
	w.sim.SuspendUser("bob", true)
	clock.add(25 * time.Hour)
	w.eventually("the list of alice is incomplete", func() bool { return w.user(r, "alice").Problem != "" })
	w.eventually("bob is gone", func() bool { return w.user(r, "bob").State == gistdeal.UserGone })
	if got := r.changes(); len(got) > 0 {
		t.Errorf("without a complete list: %v", got)
	}

	w.sim.ClearFaults()
	clock.add(25 * time.Hour)
	w.eventually("two gists are deleted", func() bool { return len(r.changes()) == 2 })
	if got := slices.Sorted(slices.Values(r.changes())); !slices.Equal(got, []string{"gist.deleted a0000", "gist.deleted a0001"}) {
		t.Errorf("the changes are %v", got)
	}
	w.sim.EditGist("a0001", func(g *sim.Gist) { g.Secret = false })
	w.eventually("one is public again", func() bool { clock.add(time.Hour); return len(r.changes()) == 3 }) // The last scan may end late.
	if got := r.changes()[2]; got != "gist.restored a0001" {
		t.Errorf("the last change is %q", got)
	}
	w.wantPosts(0)
}
