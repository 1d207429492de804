package push_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/push"
	"gistdeal/internal/reconcile"
	"gistdeal/internal/runlog"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// day is a world in which time passes at once while everything waits: the pushes and the
// audits of one program run in a synctest bubble, with a real database and a simulator
// that is outside of it and has the time of the bubble.
type day struct {
	t      *testing.T
	sim    *sim.Sim
	url    string
	path   string
	log    *testenv.Log
	target gistdeal.Target
	client pipedrive.Options

	db   *store.Store
	stop func()
}

// newDay runs the test in a bubble that begins at midnight UTC. The wrappers see each request
// before the simulator.
func newDay(t *testing.T, o sim.Options, test func(*day), wrappers ...func(http.Handler) http.Handler) {
	t.Helper()
	var now atomic.Int64
	o.Burst = -1 // A wait between dialling and sending would stop the time.
	o.Now = func() time.Time { return time.UnixMilli(now.Load()) }
	simulator := sim.New(o)
	var handler http.Handler = simulator
	for _, wrap := range wrappers {
		handler = wrap(handler)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.SetKeepAlivesEnabled(false) // Time stands still while a connection is open.
	server.Start()
	defer server.Close()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		now.Store(time.Now().UnixMilli())
		var ticking sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		ticking.Go(func() {
			for loop.Sleep(ctx, 10*time.Second) {
				now.Store(time.Now().UnixMilli())
			}
		})
		d := &day{t: t, sim: simulator, url: server.URL, path: path, log: &testenv.Log{}, stop: func() {}}
		test(d)
		d.stop()
		cancel()
		ticking.Wait()
	})
}

// start runs the program.
func (d *day) start() {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	db, err := store.Open(ctx, d.path, store.Options{})
	testenv.Must(d.t, err)
	d.client.Token, d.client.Rate = "secret", 1000
	pipe, err := pipedrive.New(d.url, d.client)
	testenv.Must(d.t, err)
	log := slog.New(slog.NewTextHandler(d.log, nil))
	queued, stopping := loop.NewSignal(), make(chan struct{})
	back := loop.NewBackoff("Pipedrive", log, loop.NewSignal())
	rare := rarely{db}
	r := reconcile.New(rare, pipe, back, queued, reconcile.Options{Log: log})
	p := push.New(rare, pipe, push.Shared{
		Reconciler: r, Runs: runlog.New(db, log, time.Now), Accounts: push.NewAccounts(db, log, time.Now), Backoff: back, Faults: loop.NewBackoff("database", log, loop.NewSignal()), Queued: queued, Stopping: stopping,
	}, push.Options{Target: d.target, Owner: "test", Log: log})
	var loops sync.WaitGroup
	for _, run := range []func(context.Context) error{p.Run, r.Watch} {
		loops.Go(func() {
			if err := run(ctx); err != nil {
				d.t.Error(err)
			}
		})
	}
	d.db = db
	d.stop = sync.OnceFunc(func() {
		cancel()
		close(stopping)
		loops.Wait()
		testenv.Must(d.t, db.Close())
	})
}

// rarely is a database that answers the questions of each second only once a minute, so
// that a day of them does not take long.
type rarely struct{ *store.Store }

func (r rarely) Due(ctx context.Context) (due, catchUp bool, err error) {
	due, catchUp, err = r.Store.Due(ctx)
	if due || catchUp || err != nil {
		return due, catchUp, err
	}
	claims, err := r.InDoubt(ctx)
	if len(claims) > 0 {
		loop.Sleep(ctx, 3*time.Second) // Longer, and a lookup would be too old for a claim.
	} else {
		loop.Sleep(ctx, time.Minute)
	}
	return due, catchUp, err
}

func (r rarely) NextAudit(ctx context.Context) (gistdeal.AuditRequest, bool, time.Time, error) {
	loop.Sleep(ctx, time.Minute)
	return r.Store.NextAudit(ctx)
}

func (r rarely) Setting(ctx context.Context, name string) (string, error) {
	if name == string(gistdeal.SettingStage) {
		loop.Sleep(ctx, time.Minute)
	}
	return r.Store.Setting(ctx, name)
}

// queue queues the deals of new gists of alice.
func (d *day) queue(ids ...string) {
	d.t.Helper()
	d.save(gistdeal.NewGistPolicy{}, ids)
}

// queueBackfill queues the deals of older gists of alice.
func (d *day) queueBackfill(ids ...string) {
	d.t.Helper()
	d.save(gistdeal.NewGistPolicy{First: true}, ids)
}

func (d *day) save(policy gistdeal.NewGistPolicy, ids []string) {
	d.t.Helper()
	ctx := context.WithoutCancel(d.t.Context())
	u, err := d.db.Track(ctx, gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(d.t, err)
	var gists []gistdeal.Gist
	for _, id := range ids {
		gists = append(gists, gistdeal.Gist{ID: id, CreatedAt: time.Now()})
	}
	_, err = d.db.SaveGists(ctx, u.ID, gists, policy, time.Now())
	testenv.Must(d.t, err)
}

// ids returns n ids of gists.
func ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("a%06d", i))
	}
	return all
}

// until lets time pass until so long after the begin.
func (d *day) until(age time.Duration) {
	time.Sleep(age - time.Since(dawn))
}

// want checks how many deals are in each state. No gist may have two deals.
func (d *day) want(states map[gistdeal.DealState]int) {
	d.t.Helper()
	got, err := d.db.DealsOf(d.t.Context(), 1)
	testenv.Must(d.t, err)
	if !maps.Equal(got, states) {
		d.t.Errorf("at %v the deals are %v, want %v\n%s", time.Now().UTC(), got, states, d.log)
	}
	if r := d.sim.Report(); len(r.Duplicated) > 0 || r.Deals != states[gistdeal.DealCreated] {
		d.t.Errorf("%d deals in Pipedrive, want %d; duplicates: %v", r.Deals, states[gistdeal.DealCreated], r.Duplicated)
	}
}

// fail adds a fault of the simulator.
func (d *day) fail(match, kind string) { d.sim.AddFault(sim.Fault{Match: match, Kind: kind}) }

// dawn is when the time in a bubble begins.
var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const postDeals = "POST /api/v2/deals"
