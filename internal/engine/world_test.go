package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/engine"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// world has simulators and one database. Tests start and stop engines on it.
type world struct {
	t            testing.TB
	sim          *sim.Sim
	url          string
	path         string // or URL of the database
	options      engine.Options
	pushTimeout  time.Duration
	lease        time.Duration // for a PostgreSQL database
	quotaReserve float64
	log          *testenv.Log
}

// newWorld returns a world without quotas and with a resend interval of half a
// second.
func newWorld(t testing.TB, o sim.Options) *world {
	t.Helper()
	s, url := testenv.Simulate(t, testenv.Unlimited(o))
	return &world{
		t: t, sim: s, url: url, path: filepath.Join(t.TempDir(), "test.db"), log: &testenv.Log{},
		options: engine.Options{ResendAfter: 500 * time.Millisecond, AuditsOnRequest: true}, pushTimeout: 300 * time.Millisecond,
	}
}

// withoutGraphQL makes GitHub one that serves no GraphQL: each user needs requests.
func (w *world) withoutGraphQL() {
	w.sim.AddFault(sim.Fault{Match: graphQL, Kind: "answer", Status: http.StatusNotFound, Body: `{"message": "Not Found"}`})
}

// run is a running engine.
type run struct {
	*engine.Engine
	t     testing.TB
	store *store.Store
	stop  func() error // ends the engine and returns the error of Run
	fails bool         // the test expects an error of Run
}

// start starts an engine on the world's database until the end of the test.
func (w *world) start() *run {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), w.path, store.Options{Lease: w.lease})
	testenv.Must(w.t, err)
	hub, pipe := stack.Clients(w.t, w.url, pipedrive.Options{PushTimeout: w.pushTimeout, QuotaReserve: w.quotaReserve})
	o := w.options
	o.Background = hub.Background()
	o.Owner, o.Log = rand.Text(), slog.New(slog.NewTextHandler(w.log, nil))
	r := &run{Engine: engine.New(db, hub, pipe, o), t: w.t, store: db}
	stop := stack.Run(r.Engine)
	r.stop = sync.OnceValue(func() error {
		err := stop()
		if closeErr := db.Close(); closeErr != nil {
			w.t.Error(closeErr)
		}
		return err
	})
	w.t.Cleanup(func() {
		if err := r.stop(); err != nil && !r.fails {
			w.t.Errorf("the engine ended with: %v", err)
		}
	})
	return r
}

// startTracking starts an engine and tracks a login.
func (w *world) startTracking(login string) *run {
	w.t.Helper()
	r := w.start()
	testenv.Must(w.t, w.track(r, login))
	return r
}

// end stops the engine and expects no error.
func (r *run) end() {
	r.t.Helper()
	testenv.Must(r.t, r.stop())
}

// track waits until the engine has the lease and tracks a login.
func (w *world) track(r *run, login string) error {
	w.t.Helper()
	w.eventually("the engine has the lease", func() bool { return r.Status().Working })
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	return r.Track(ctx, login)
}

// eventually waits until done is true.
func (w *world) eventually(what string, done func() bool) {
	w.t.Helper()
	testenv.Eventually(w.t, what, done, w.log)
}

// settled waits until each gist of the users has a deal in the database and in
// Pipedrive, and checks that no gist has two.
func (w *world) settled(r *run, logins ...string) {
	w.t.Helper()
	w.eventually("every gist has its deal", func() bool {
		for _, login := range logins {
			u, err := r.store.UserByLogin(w.t.Context(), login)
			if err != nil {
				return false
			}
			gists, err := r.store.GistsOf(w.t.Context(), u.ID)
			if err != nil {
				return false
			}
			for _, g := range gists {
				if g.State != gistdeal.DealCreated {
					return false
				}
			}
		}
		return len(w.sim.Report().WithoutDeal) == 0
	})
	w.noDuplicates()
}

func (w *world) noDuplicates() {
	w.t.Helper()
	if duplicates := w.sim.Report().Duplicated; len(duplicates) > 0 {
		w.t.Errorf("gists with more than one deal: %v\n%s", duplicates, w.log)
	}
}

// wantPosts checks the number of POSTs of deals; why explains it.
func (w *world) wantPosts(want int, why ...string) {
	w.t.Helper()
	if got := w.count(postDeal); got != want {
		w.t.Errorf("%d POSTs, want %d %s", got, want, strings.Join(why, ""))
	}
}

// user returns a tracked user.
func (w *world) user(r *run, login string) gistdeal.User {
	w.t.Helper()
	u, err := r.store.UserByLogin(w.t.Context(), login)
	testenv.Must(w.t, err)
	return u
}

// deals returns the deals of a user by gist id.
func (w *world) deals(r *run, login string) map[string]gistdeal.Deal {
	w.t.Helper()
	gists, err := r.store.GistsOf(w.t.Context(), w.user(r, login).ID)
	testenv.Must(w.t, err)
	deals := map[string]gistdeal.Deal{}
	for _, g := range gists {
		deals[g.ID] = g.Deal
	}
	return deals
}

// count returns the number of requests to a route of the simulators.
func (w *world) count(route string) int { return w.sim.Report().Requests[route] }

// simGists returns n gists with ids that start with the prefix.
func simGists(prefix string, n int) []sim.Gist {
	gists := make([]sim.Gist, n)
	for i := range gists {
		gists[i] = sim.Gist{ID: fmt.Sprintf("%s%04d", prefix, i), Description: "gist"}
	}
	return gists
}

const (
	listGists = "GET /users/{login}/gists"
	lookUp    = "GET /users/{login}"
	postDeal  = http.MethodPost + " /api/v2/deals"
)
