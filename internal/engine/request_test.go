package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// openStore opens the world's database without an engine, as another process does.
func (w *world) openStore() *store.Store {
	w.t.Helper()
	return stack.OpenAt(w.t, w.path)
}

// ask queues scan requests as another process does.
func (w *world) ask(db *store.Store, requests ...gistdeal.ScanRequest) []gistdeal.ScanRequest {
	w.t.Helper()
	requested, err := db.RequestScan(w.t.Context(), time.Now(), requests...)
	testenv.Must(w.t, err)
	return requested
}

// answers waits until all scan requests have a result.
func (w *world) answers(db *store.Store, requests []gistdeal.ScanRequest) map[string]gistdeal.RequestResult {
	w.t.Helper()
	var answers map[string]gistdeal.RequestResult
	w.eventually("the answers", func() (done bool) {
		var err error
		if answers, err = db.RequestResults(w.t.Context(), requests...); err != nil {
			w.t.Fatal(err)
		}
		return len(answers) == len(requests)
	})
	return answers
}

func TestAScanRequestIsAnsweredByTheNextLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 3)
	db := w.openStore()
	requested := w.ask(db, gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestFirstScan}, gistdeal.ScanRequest{Login: "missing"})
	r := w.start()
	answers := w.answers(db, requested)
	if a := answers["alice"]; !a.Added || a.Err != nil {
		t.Errorf("alice: %+v, want added", a)
	}
	if err := answers["missing"].Err; gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("missing: %v, want not found", err)
	}
	w.settled(r, "alice")
	if a := w.answers(db, w.ask(db, gistdeal.ScanRequest{Login: "Alice"}))["alice"]; a.Added || a.Err != nil {
		t.Errorf("alice again: %+v, want already tracked", a)
	}
}

func TestAWaitingClientIsAnsweredAtAStopAndItsScanRequestStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 3)
	r := w.start()
	w.eventually("the engine has the lease", func() bool { return r.Status().Working })
	waiter := make(chan error, 1)
	w.sim.AddFault(sim.Fault{Match: "GET /users/alice", Kind: "slow", Latency: time.Minute})
	go func() { waiter <- r.Track(context.Background(), "alice") }()
	w.eventually("the request to GitHub is under way", func() bool { return w.count(lookUp) == 1 })
	r.end()
	if err := <-waiter; gistdeal.KindOf(err) != gistdeal.Temporary {
		t.Errorf("got %v, want a temporary error", err)
	}
	w.sim.ClearFaults()
	second := w.start()
	w.eventually("alice is tracked", func() bool {
		u, err := second.store.UserByLogin(t.Context(), "alice")
		return err == nil && !u.LastScanAt.IsZero()
	})
}

func TestBackgroundScanRequestsOutlastAGitHubLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.withoutGraphQL()
	db := w.openStore()
	var requests []gistdeal.ScanRequest
	for i := range 12 {
		login := fmt.Sprintf("user-%d", i)
		w.sim.MakeGists(login, 1)
		requests = append(requests, gistdeal.ScanRequest{Login: login, Backfill: gistdeal.BackfillNone})
	}
	w.sim.AddFault(sim.Fault{Match: "GET /users/user-", Kind: "limit", Times: 1, Header: map[string]string{"Retry-After": "1"}})
	w.sim.AddFault(sim.Fault{Match: "GET /users/user-", Kind: "error-before", Times: 1})
	requests = w.ask(db, requests...)
	r := w.start()
	for login, a := range w.answers(db, requests) {
		if !a.Added || a.Err != nil {
			t.Errorf("%s: %+v, want added", login, a)
		}
		if u := w.user(r, login); u.Backfill != gistdeal.BackfillNone {
			t.Errorf("%s has policy %s, want new", login, u.Backfill)
		}
	}
}

func TestAnInteractiveRequestGoesBeforeBackgroundRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, Latency: 20 * time.Millisecond})
	db := w.openStore()
	var requests []gistdeal.ScanRequest
	for i := range 200 {
		requests = append(requests, gistdeal.ScanRequest{Login: fmt.Sprintf("missing-%d", i)})
	}
	requests = w.ask(db, requests...)
	w.sim.MakeGists("alice", 1)
	r := w.start()
	w.eventually("the first answer", func() bool {
		answers, err := db.RequestResults(t.Context(), requests...)
		return err == nil && len(answers) > 0
	})
	testenv.Must(t, w.track(r, "alice"))
	answers, err := db.RequestResults(t.Context(), requests...)
	if err != nil || len(answers) > 100 {
		t.Errorf("%d of 200 were answered before alice, error %v", len(answers), err)
	}
}

func TestUsersAddedInBulkLeaveTheReservedRequestsToInteractiveOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.Set(func(o *sim.Options) { o.GitHubLimit = 60 }) // Ten are reserved.
	db := w.trackAll(numbered(100)...)
	w.sim.AddUser(sim.User{Login: "alice"})
	w.sim.AddUser(sim.User{Login: "bob"})
	r := w.start()
	w.eventually("the sweep waits", func() bool { return w.log.Count("sweep waits") > 0 })
	w.eventually("nothing is under way", func() bool {
		return !slices.ContainsFunc(w.sim.Report().RequestLog, func(s sim.Seen) bool { return s.Status == 0 })
	})
	testenv.Must(t, w.track(r, "alice"))
	added := w.answers(db, w.ask(db, gistdeal.ScanRequest{Login: "bob", Kind: gistdeal.RequestTrackNow}))["bob"]
	if !added.Added || added.Err != nil {
		t.Errorf("bob, added alone: %+v", added)
	}
	// Each of the six background requests under way may take one of the reserved ones.
	if got := w.count(lookUp) + w.count(listGists); got > 50+6+3 {
		t.Errorf("%d requests, want the reserved ones left but for three", got)
	}
}

func TestHangingLookupsOfUsersAddedInBulkHoldUpNoInteractiveRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.withoutGraphQL()
	w.sim.AddFault(sim.Fault{Match: "GET /users/user-", Kind: "hang-before"})
	db := w.trackAll(numbered(8)...)
	w.sim.AddUser(sim.User{Login: "alice"})
	r := w.start()
	w.eventually("two lookups hang", func() bool { return w.count(lookUp) >= 2 })
	testenv.Must(t, w.track(r, "alice"))
	for _, login := range numbered(8) {
		if problem, _, err := db.PendingRequest(t.Context(), login); problem != "" || err != nil {
			t.Errorf("alice was served only after the lookup of %s had ended: %s, %v", login, problem, err)
		}
	}
}

func TestARemovedUserIsTrackedAgainOnRequestAndKeepsItsSkippedDeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "limit"})
	r := w.startTracking("alice")
	w.eventually("pushes back off", func() bool { return w.log.Count("backoff started") > 0 })
	if _, err := r.store.RemoveUsers(t.Context(), time.Now(), w.user(r, "alice").ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.UserByLogin(t.Context(), "alice"); gistdeal.KindOf(err) != gistdeal.NotFound {
		t.Errorf("alice: %v, want not found", err)
	}
	w.sim.ClearFaults()
	w.sim.AddGist("alice", sim.Gist{ID: "a9"})
	testenv.Must(t, w.track(r, "alice"))
	w.eventually("the new gist's deal", func() bool { return w.deals(r, "alice")["a9"].State == gistdeal.DealCreated })
	for _, id := range []string{"a0000", "a0001"} {
		if got := w.deals(r, "alice")[id].State; got != gistdeal.DealSkipped {
			t.Errorf("%s is %s, want skipped", id, got)
		}
	}
}

func TestARemovedUserThatIsAddedWithOnlyNewGistsGetsNoDealForThoseCreatedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	_, err := r.store.RemoveUsers(t.Context(), time.Now(), w.user(r, "alice").ID)
	testenv.Must(t, err)
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("meanwhile", 3)})
	w.sim.DeleteGist("a0001")
	clock.add(time.Hour)
	w.answers(r.store, w.ask(r.store, gistdeal.ScanRequest{Login: "alice", Backfill: gistdeal.BackfillNone}))
	w.eventually("alice is scanned again", func() bool { return !w.user(r, "alice").LastScanAt.IsZero() })
	w.sim.AddGist("alice", sim.Gist{ID: "later"})
	clock.add(4 * time.Hour)
	w.eventually("the later gist's deal", func() bool { return w.deals(r, "alice")["later"].State == gistdeal.DealCreated })
	for id, d := range w.deals(r, "alice") {
		want := gistdeal.DealCreated
		if strings.HasPrefix(id, "meanwhile") {
			want = gistdeal.DealSkipped
		}
		if d.State != want {
			t.Errorf("the deal of %s is %s, want %s", id, d.State, want)
		}
	}
	w.wantPosts(3, "for two old gists and the later one")
}

func TestARequestedScanReadsAUserBeforeItIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	r := w.startTracking("alice")
	w.sim.AddGist("alice", sim.Gist{ID: "a9"})
	scan := gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow}
	if _, err := r.RequestScan(t.Context(), scan); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.deals(r, "alice")["a9"]; !ok {
		t.Error("the new gist was not saved")
	}
	if _, err := r.store.PauseUsers(t.Context(), time.Now(), w.user(r, "alice").ID); err != nil {
		t.Fatal(err)
	}
	pages := w.count(listGists)
	if _, err := r.RequestScan(t.Context(), scan); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("a scan of a paused user: %v, want a refusal", err)
	}
	if err := r.Track(t.Context(), "alice"); err != nil || w.count(listGists) != pages {
		t.Errorf("a paused user was scanned, error %v", err)
	}
}
