package engine_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

const graphQL = "POST /graphql"

// exec changes the SQLite database behind gistdeal's back.
func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?_pragma=busy_timeout(60000)")
	testenv.Must(w.t, err)
	_, err = db.ExecContext(w.t.Context(), statement, args...)
	testenv.Must(w.t, err)
	testenv.Must(w.t, db.Close())
}

// swept waits until a sweep has ended after the given time for each of the users.
func (w *world) swept(db *store.Store, since time.Time, users ...int64) {
	w.t.Helper()
	for _, id := range users {
		w.eventually(fmt.Sprint("user ", id, " is swept"), func() bool {
			u, err := db.User(w.t.Context(), id)
			return err == nil && !u.LastScanAt.Before(since.Truncate(time.Millisecond))
		})
	}
}

// small starts an engine with users that were scanned, three of them with gists, and returns
// its clock.
func (w *world) small(n int) (*clock, *run) {
	w.t.Helper()
	clock := newClock()
	w.options.Now = clock.now
	w.options.Backfill = gistdeal.BackfillNone
	logins := numbered(n)
	for i, login := range logins {
		u := sim.User{Login: login}
		if i < 3 {
			u.Gists = simGists(login, 5)
		}
		w.sim.AddUser(u)
	}
	db := w.openStore()
	for _, login := range logins {
		w.ask(db, gistdeal.ScanRequest{Login: login})
	}
	r := w.start()
	w.scanned(db, logins...)
	return clock, r
}

// sweepAgain moves the clock to the next sweep and waits for the users.
func (w *world) sweepAgain(c *clock, r *run, n int) (requests, queries int) {
	w.t.Helper()
	before := w.sim.Report().Requests
	c.add(4 * time.Hour)
	now := c.now()
	for i := range n {
		u := w.user(r, fmt.Sprint("user-", i))
		w.swept(r.store, now, u.ID)
	}
	after := w.sim.Report().Requests
	for route, count := range after {
		switch route {
		case graphQL:
			queries += count - before[route]
		case listGists, lookUp, byNumber, "GET /user/{id}/gists":
			requests += count - before[route]
		}
	}
	return requests, queries
}

func TestUnchangedUsersCostOneQueryForAHundred(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	c, r := w.small(100)
	requests, queries := w.sweepAgain(c, r, 100)
	if requests != 0 || queries != 1 {
		t.Errorf("%d requests and %d queries, want one query\n%s", requests, queries, w.log)
	}
}

func TestASecretGistThatBecomesPublicIsNoticedByASweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "user-0"})
	id := w.sim.AddGist("user-0", sim.Gist{Secret: true, CreatedAt: time.Now().AddDate(-1, 0, 0)})
	c, r := w.small(100)
	w.sim.OmitFromFeed(id, true)
	w.sim.MakePublic(id)
	requests, queries := w.sweepAgain(c, r, 100)
	if requests != 1 || queries != 1 {
		t.Errorf("%d requests and %d queries, want one of each\n%s", requests, queries, w.log)
	}
	w.eventually("the gist has a deal", func() bool { return w.deals(r, "user-0")[id].State == gistdeal.DealCreated })
	if requests, queries := w.sweepAgain(c, r, 100); requests != 0 || queries != 1 {
		t.Errorf("afterwards %d requests and %d queries, want one query", requests, queries)
	}
}

func TestARenamedUserIsNoticedByASweepAndKeepsItsRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, FormerLists: true})
	c, r := w.small(3)
	id := w.user(r, "user-1").ID
	w.sim.RenameUser("user-1", "renamed")
	c.add(4 * time.Hour)
	w.eventually("the new login is known", func() bool {
		u, err := r.store.User(t.Context(), id)
		return err == nil && u.Login == "renamed"
	})
}

func TestAUserThatIsGoneHoldsUpNobodyInItsBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	c, r := w.small(10)
	w.sim.DeleteUser("user-3")
	before := w.count(graphQL)
	c.add(4 * time.Hour)
	w.eventually("the user is gone", func() bool { return w.user(r, "user-3").State == gistdeal.UserGone })
	for _, i := range []int{0, 9} {
		w.swept(r.store, c.now().Add(-time.Minute), w.user(r, fmt.Sprint("user-", i)).ID)
	}
	if n := w.count(graphQL) - before; n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestHiddenGistsCauseOneScanAndNotOneEachSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	c, r := w.small(3)
	u := w.user(r, "user-1")
	testenv.Must(t, r.store.SetHidden(t.Context(), u.ID, 7)) // As if GitHub had counted more.
	if requests, _ := w.sweepAgain(c, r, 3); requests != 1 {
		t.Errorf("%d requests, want one scan\n%s", requests, w.log)
	}
	w.eventually("the gists are counted again", func() bool { return w.user(r, "user-1").Hidden == 0 })
	if requests, queries := w.sweepAgain(c, r, 3); requests != 0 || queries != 1 {
		t.Errorf("afterwards %d requests and %d queries, want one query", requests, queries)
	}
}

func TestWithoutGraphQLEachUserIsScannedWithItsETag(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"refused":      {Match: graphQL, Kind: "answer", Status: http.StatusForbidden, Body: `{"message": "Resource not accessible by personal access token"}`},
		"not there":    {Match: graphQL, Kind: "answer", Status: http.StatusNotFound, Body: `{"message": "Not Found"}`},
		"no such data": {Match: graphQL, Kind: "answer", Status: http.StatusOK, Body: `{"errors": [{"message": "Field 'gists' doesn't exist on type 'User'"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{Seed: 1})
			w.sim.AddFault(fault)
			c, r := w.small(10)
			requests, _ := w.sweepAgain(c, r, 10)
			if requests != 10 {
				t.Errorf("%d requests, want one for each user\n%s", requests, w.log)
			}
			if n := w.log.Count("users scanned one by one"); n != 1 {
				t.Errorf("it was logged %d times", n)
			}
		})
	}
}

func TestALargeQueryIsRepeatedWithFewerUsers(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sim.Options{
		"over the resources": {Seed: 1, GraphQLUsers: 60},
		"over ten seconds":   {Seed: 1, GraphQLTime: 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{Seed: 1})
			c, r := w.small(100)
			if o.GraphQLTime > 0 { // Without waiting ten seconds.
				w.sim.AddFault(sim.Fault{Match: graphQL, Kind: "answer", Status: http.StatusBadGateway, Times: 1})
			}
			w.sim.Set(func(s *sim.Options) { s.GraphQLUsers = o.GraphQLUsers })
			requests, queries := w.sweepAgain(c, r, 100)
			if requests != 0 || queries < 2 || queries > 4 {
				t.Errorf("%d requests and %d queries\n%s", requests, queries, w.log)
			}
		})
	}
}

func TestALeaderThatEndsInABatchLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	c, r := w.small(20)
	w.sim.AddFault(sim.Fault{Match: graphQL, Kind: "hang-before"})
	id := w.sim.AddGist("user-7", sim.Gist{})
	before := w.count(graphQL)
	c.add(4 * time.Hour)
	w.eventually("a query is sent", func() bool { return w.count(graphQL) > before })
	r.end()
	w.sim.ClearFaults()
	r = w.start()
	w.eventually("the gist has a deal", func() bool { return w.deals(r, "user-7")[id].State == gistdeal.DealCreated })
	w.noDuplicates()
}

func TestTwoThousandUnchangedUsersAreSweptWithTwentyQueries(t *testing.T) {
	t.Parallel()
	const users = 2_000
	w := newWorld(t, sim.Options{Seed: 1})
	db := w.openStore()
	ago := time.Now().Add(-4 * time.Hour)
	next := func() time.Time { return ago.Add(3 * time.Hour) }
	ids := map[string]int64{}
	var withoutGists []gistdeal.Probe
	for i := range users {
		u := sim.User{Login: fmt.Sprint("user-", i)}
		if i%20 == 0 {
			u.Gists = simGists(u.Login, 1)
			u.Gists[0].CreatedAt, u.Gists[0].UpdatedAt = ago, ago
		}
		a := gistdeal.Account{ID: w.sim.AddUser(u), Login: u.Login}
		ids[a.Login] = a.ID
		if len(u.Gists) == 0 {
			withoutGists = append(withoutGists, gistdeal.Probe{Account: a})
			continue
		}
		_, err := db.Track(t.Context(), a, gistdeal.BackfillNone, ago)
		testenv.Must(t, err)
		_, err = db.SaveGists(t.Context(), a.ID, []gistdeal.Gist{{ID: u.Gists[0].ID, CreatedAt: ago, UpdatedAt: ago}}, gistdeal.NewGistPolicy{First: true, SkipBefore: time.Now()}, ago)
		testenv.Must(t, err)
		testenv.Must(t, db.Scanned(t.Context(), a.ID, gistdeal.Listing{Pages: 1}, ago, next()))
	}
	// At once, because a transaction for each takes half a minute.
	rows, err := json.Marshal(ids)
	testenv.Must(t, err)
	w.exec(`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, next_scan_at)
		SELECT value, key, key, 'active', 'none', $1, $1 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING`, ago.UnixMilli(), string(rows))
	_, err = db.RecordProbes(t.Context(), withoutGists, ago, next)
	testenv.Must(t, err)
	w.start()
	w.eventually("the sweep is over", func() bool {
		n, err := db.DueCount(t.Context(), time.Now(), time.Now().AddDate(1, 0, 0))
		return err == nil && n == 0
	})
	report := w.sim.Report()
	if n := report.Requests[graphQL]; n > 21 || report.Points > 21 {
		t.Errorf("%d queries for %d points, want 21 at most", n, report.Points)
	}
	if n := report.Requests[listGists] + report.Requests[byNumber]; n > 0 {
		t.Errorf("%d requests, want none\n%s", n, w.log)
	}
}

func TestManyLoginsAreLookedUpWithOneQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	logins := numbered(98)
	for _, login := range logins {
		w.sim.AddUser(sim.User{Login: login})
	}
	w.sim.AddUser(sim.User{Login: "company", Type: gistdeal.Organization})
	var requests []gistdeal.ScanRequest
	for _, login := range append(logins, "company", "missing") {
		requests = append(requests, gistdeal.ScanRequest{Login: login})
	}
	db := w.openStore()
	requests = w.ask(db, requests...)
	w.start()
	answers := w.answers(db, requests)
	for _, login := range logins {
		if a := answers[login]; !a.Added || a.Err != nil {
			t.Errorf("%s: %+v, want added", login, a)
		}
	}
	if a, b := gistdeal.KindOf(answers["company"].Err), gistdeal.KindOf(answers["missing"].Err); a != gistdeal.Invalid || b != gistdeal.NotFound {
		t.Errorf("the organization is %v, the missing login %v", a, b)
	}
	w.scanned(db, logins...)
	if queries, lookups, lists := w.count(graphQL), w.count(lookUp), w.count(listGists); queries != 1 || lookups != 2 || lists != 0 {
		t.Errorf("%d queries, %d lookups and %d lists, want one query, and a lookup of each of the two others", queries, lookups, lists)
	}
}

func TestAUserWithoutGistsIsTrackedOnlyTogetherWithItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	logins := numbered(3)
	for _, login := range logins {
		w.sim.AddUser(sim.User{Login: login})
	}
	db := w.openStore()
	for _, login := range logins {
		w.ask(db, gistdeal.ScanRequest{Login: login})
	}
	w.exec(`CREATE TRIGGER no_answer BEFORE UPDATE ON scan_requests BEGIN SELECT RAISE(ABORT, 'no answer'); END`)
	w.start()
	w.eventually("an answer is not recorded", func() bool { return w.log.Count("scan requests not read") > 0 })
	for _, login := range logins { // Otherwise the sweep could scan it for nothing.
		if _, err := db.UserByLogin(t.Context(), login); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("%s: %v, want that it is not tracked without its answer", login, err)
		}
	}
	if n := w.count(listGists); n != 0 {
		t.Errorf("%d lists were read, want none\n%s", n, w.log)
	}
}

func TestUsersAddedInBulkHoldUpNeitherTheSweepNorTheFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.options.FeedInterval = 100 * time.Millisecond
	c, r := w.small(20)
	w.sim.Set(func(o *sim.Options) { o.GitHubLimit = 60 })
	added := make([]string, 100)
	for i := range added {
		added[i] = fmt.Sprint("added-", i)
	}
	w.trackAll(added...)
	w.eventually("the requests are spent but for the reserved ones", func() bool { return w.log.Count("sweep waits") > 0 })
	c.add(4 * time.Hour)
	now := c.now()
	for i := range 20 {
		w.swept(r.store, now, w.user(r, fmt.Sprint("user-", i)).ID)
	}
	const feed = "GET /gists/public"
	read := w.count(feed)
	w.eventually("the feed is read again", func() bool { return w.count(feed) > read })
}
