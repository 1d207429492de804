package admin_test

import (
	"fmt"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// world is an Admin over a database of its own.
type world struct {
	*testing.T
	*admin.Admin
	db  *store.Store
	sim *sim.Sim // nil without a leader
}

// newWorld returns a world without a leader: nothing changes but by the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	db := stack.Open(t)
	return &world{T: t, Admin: admin.New(db), db: db}
}

// lead starts an engine on the world's database, with simulated remotes.
func (w *world) lead() *world {
	w.Helper()
	s, url := testenv.Simulate(w.T, testenv.Unlimited(sim.Options{Seed: 1}))
	w.sim = s
	stack.Start(w.T, w.db, url)
	return w
}

// track stores a user with gists and queued deals, and returns the gist ids.
func (w *world) track(id int64, login string, gists int) (gistIDs []string) {
	w.Helper()
	ctx, now := w.Context(), time.Now()
	_, err := w.db.Track(ctx, gistdeal.Account{ID: id, Login: login}, gistdeal.BackfillAll, now)
	testenv.Must(w.T, err)
	var all []gistdeal.Gist
	for i := range gists {
		g := gistdeal.Gist{ID: fmt.Sprintf("%s%d", login, i), Description: "a gist", CreatedAt: now}
		all, gistIDs = append(all, g), append(gistIDs, g.ID)
	}
	_, err = w.db.SaveGists(ctx, id, all, gistdeal.NewGistPolicy{First: true}, now)
	testenv.Must(w.T, err)
	err = w.db.Scanned(ctx, id, gistdeal.Listing{}, now, now.Add(time.Hour))
	testenv.Must(w.T, err)
	return gistIDs
}

// claim claims the next deal.
func (w *world) claim() gistdeal.Claim {
	w.Helper()
	_, err := w.db.BeginCatchUp(w.Context(), false)
	testenv.Must(w.T, err)
	testenv.Must(w.T, w.db.EndCatchUp(w.Context(), time.Now()))
	c, ok, err := w.db.Claim(w.Context(), "test", time.Now(), time.Now())
	testenv.Must(w.T, err)
	if !ok {
		w.Fatal("no deal is queued")
	}
	return c
}

// want fails the test unless the results are as wanted, each as "input result".
func (w *world) want(results []admin.Result, want ...string) {
	w.Helper()
	if len(results) != len(want) {
		w.Fatalf("%+v, want %d results", results, len(want))
	}
	for i, r := range results {
		if got := r.Input + " " + r.Result; got != want[i] {
			w.Errorf("%s (%s), want %s", got, r.Reason, want[i])
		}
	}
}
