package admin_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/engine"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
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
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, Admin: admin.New(db), db: db}
	t.Cleanup(func() { w.must(db.Close()) })
	return w
}

// lead starts an engine on the world's database, with simulated remotes.
func (w *world) lead() *world {
	w.Helper()
	w.sim = sim.New(sim.Options{Seed: 1, Burst: -1, DailyTokens: -1, GitHubLimit: -1})
	remote := httptest.NewServer(w.sim)
	hub, err := github.New(remote.URL, github.Options{Token: "github"})
	w.must(err)
	pipe, err := pipedrive.New(remote.URL, pipedrive.Options{Token: "pipedrive", Rate: 1000, PushTimeout: 5 * time.Second})
	w.must(err)
	e := engine.New(w.db, hub, pipe, engine.Options{Owner: "test"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		w.must(<-ended)
		w.sim.Close()
		remote.Close()
	})
	w.eventually("there is a leader", func() bool {
		leader, err := w.db.HasLeader(w.Context())
		w.must(err)
		return leader
	})
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// eventually waits until done.
func (w *world) eventually(what string, done func() bool) {
	w.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(60 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			w.Fatalf("not within 60 s: %s", what)
		}
	}
}

// track stores a user with gists whose deals are queued, and returns their ids.
func (w *world) track(id int64, login string, gists int) (gistIDs []string) {
	w.Helper()
	ctx, now := w.Context(), time.Now()
	_, err := w.db.Track(ctx, gistdeal.Account{ID: id, Login: login}, gistdeal.BackfillAll, now)
	w.must(err)
	var all []gistdeal.Gist
	for i := range gists {
		g := gistdeal.Gist{ID: fmt.Sprintf("%s%d", login, i), Description: "a gist", CreatedAt: now}
		all, gistIDs = append(all, g), append(gistIDs, g.ID)
	}
	_, err = w.db.SaveGists(ctx, id, all, gistdeal.NewGistPolicy{First: true}, now)
	w.must(err)
	_, err = w.db.FirstScanned(ctx, id, gistdeal.Listing{}, 0, now, now.Add(time.Hour))
	w.must(err)
	return gistIDs
}

// claim claims the next deal.
func (w *world) claim() gistdeal.Claim {
	w.Helper()
	c, ok, err := w.db.Claim(w.Context(), "test", time.Now(), time.Now())
	w.must(err)
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
