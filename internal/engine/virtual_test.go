package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal"
	"gistdeal/internal/deliver"
	"gistdeal/internal/engine"
	"gistdeal/internal/github"
	"gistdeal/internal/loop"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// virtual is a world in which time passes at once while everything waits. The real engine runs
// in a synctest bubble with a real database. The simulators are outside of it and have its time:
// GitHub is called without a socket, and Pipedrive, whose pace does not matter here, with one.
type virtual struct {
	t       *testing.T
	sim     *sim.Sim
	url     string // of Pipedrive
	path    string // of the database
	options engine.Options
	rate    float64        // of requests to Pipedrive
	sender  deliver.Sender // of messages to webhooks; nil means that there are none
	log     *testenv.Log
	clock   *atomic.Int64 // the simulators' time

	db   *store.Store
	stop func()
}

// rarely is a database that answers the questions of each second only every ten seconds while
// the answer is no, so that hours do not take long.
type rarely struct{ *store.Store }

const seldom = 10 * time.Second

func (r rarely) DueScanned(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error) {
	users, err := r.Store.DueScanned(ctx, now, latest, limit)
	if len(users) == 0 {
		loop.Sleep(ctx, seldom)
	}
	return users, err
}

func (r rarely) PendingRequests(ctx context.Context, least gistdeal.RequestKind, limit int) ([]gistdeal.ScanRequest, error) {
	requests, err := r.Store.PendingRequests(ctx, least, limit)
	if len(requests) == 0 {
		loop.Sleep(ctx, seldom)
	}
	return requests, err
}

func (r rarely) NextAudit(ctx context.Context) (gistdeal.AuditRequest, bool, time.Time, error) {
	loop.Sleep(ctx, seldom)
	return r.Store.NextAudit(ctx)
}

func (r rarely) Setting(ctx context.Context, name string) (string, error) {
	if name == gistdeal.KeyCatalogWanted { // The first question whether the target was changed.
		loop.Sleep(ctx, seldom)
	}
	return r.Store.Setting(ctx, name)
}

func (r rarely) AmendmentDue(ctx context.Context, now time.Time) (bool, error) {
	due, err := r.Store.AmendmentDue(ctx, now)
	if !due {
		loop.Sleep(ctx, seldom)
	}
	return due, err
}

// roundTrip is how long GitHub takes to answer.
const roundTrip = 300 * time.Millisecond

// inVirtualTime runs a test in a bubble.
func inVirtualTime(t *testing.T, o sim.Options, test func(*virtual)) {
	t.Helper()
	var clock atomic.Int64
	clock.Store(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()) // When a bubble begins.
	o.Burst, o.DailyTokens = -1, -1                                      // A wait for them with an open connection would stop the time.
	o.Now = func() time.Time { return time.UnixMilli(clock.Load()) }
	s := sim.New(o)
	server := httptest.NewUnstartedServer(s)
	server.Config.SetKeepAlivesEnabled(false) // Time stands still while a connection is open.
	server.Start()
	defer server.Close()
	defer s.Close()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		v := &virtual{t: t, sim: s, url: server.URL, path: path, rate: 1000, log: &testenv.Log{}, clock: &clock, stop: func() {}}
		v.options = engine.Options{FeedInterval: time.Minute, ScanInterval: 3 * time.Hour, AuditsOnRequest: true}
		test(v)
		v.stop()
	})
}

// RoundTrip has the simulator answer a request to GitHub.
func (v *virtual) RoundTrip(r *http.Request) (*http.Response, error) {
	if !loop.Sleep(r.Context(), roundTrip) {
		return nil, r.Context().Err()
	}
	v.tick()
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody // As in a server.
	}
	w := httptest.NewRecorder()
	v.sim.ServeHTTP(w, r)
	return w.Result(), nil
}

// tick sets the simulators' clock.
func (v *virtual) tick() { v.clock.Store(time.Now().UnixMilli()) }

// pass lets time pass.
func (v *virtual) pass(d time.Duration) {
	time.Sleep(d)
	v.tick()
}

// start starts the engine.
func (v *virtual) start() {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	db, err := store.Open(ctx, v.path, store.Options{})
	testenv.Must(v.t, err)
	hub, err := github.New("https://api.github.com", github.Options{Token: stack.GitHubToken, Transport: v})
	testenv.Must(v.t, err)
	pipe, err := pipedrive.New(v.url, pipedrive.Options{Token: stack.PipedriveToken, Rate: v.rate, PushTimeout: 10 * time.Second})
	testenv.Must(v.t, err)
	o := v.options
	if v.sender != nil {
		o.Deliveries = deliver.New(db, v.sender, deliver.Options{}).Run
	}
	o.Background, o.Owner, o.Log = hub.Background(), fmt.Sprint("start at ", time.Now()), slog.New(slog.NewTextHandler(v.log, nil))
	e := engine.New(rarely{db}, hub, pipe, o)
	var running sync.WaitGroup
	running.Go(func() {
		if err := e.Run(ctx); err != nil {
			v.t.Errorf("the engine ended with: %v", err)
		}
	})
	v.db = db
	v.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		testenv.Must(v.t, db.Close())
	})
}

// prepare changes the database before the start.
func (v *virtual) prepare(change func(*store.Store)) {
	v.t.Helper()
	db, err := store.Open(v.t.Context(), v.path, store.Options{})
	testenv.Must(v.t, err)
	change(db)
	testenv.Must(v.t, db.Close())
}

// fill tracks so many synthetic users, scanned just now and due from the given time on.
func (v *virtual) fill(users int, due time.Time) {
	v.t.Helper()
	v.sim.AddSyntheticUsers(users)
	v.prepare(func(*store.Store) {}) // Creates the schema.
	first := sim.SyntheticUser(0).ID
	v.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1)
		INSERT INTO users (id, login, login_key, state, backfill, tracked_at, pages, last_scan_at, full_scan_at, next_scan_at)
		SELECT $2 + i, 'Syn-' || i, 'syn-' || i, 'active', 'none', $3, 1, $3, $3, $4 + i % 1000 FROM n`,
		users, first, time.Now().UnixMilli(), due.UnixMilli())
	v.exec(`DELETE FROM events`)
	v.exec(`ANALYZE`)
}

// exec changes the database behind gistdeal's back.
func (v *virtual) exec(statement string, args ...any) {
	v.t.Helper()
	db := v.open()
	defer db.Close()
	_, err := db.ExecContext(v.t.Context(), statement, args...)
	testenv.Must(v.t, err)
}

func (v *virtual) open() *sql.DB {
	v.t.Helper()
	db, err := sql.Open("sqlite", "file:"+v.path+"?_pragma=busy_timeout(60000)")
	testenv.Must(v.t, err)
	return db
}
