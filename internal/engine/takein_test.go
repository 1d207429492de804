package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// lists counts the requests that read lists of gists.
func (w *world) lists() int { return w.count(listGists) + w.count("GET /user/{id}/gists") }

// largeGist returns a gist with more files than a query shows, so that its user needs a scan.
func largeGist() (g sim.Gist) {
	for i := range gistdeal.ProbeFiles + 1 {
		g.Files = append(g.Files, sim.File{Name: fmt.Sprint(i, ".md"), Size: 1})
	}
	return g
}

// takeIn requests that the users are tracked in the background, and waits until each was
// scanned.
func (w *world) takeIn(logins ...string) (*run, *store.Store) {
	w.t.Helper()
	db := w.openStore()
	var requests []gistdeal.ScanRequest
	for _, login := range logins {
		requests = append(requests, gistdeal.ScanRequest{Login: login})
	}
	w.ask(db, requests...)
	r := w.start()
	w.scanned(db, logins...)
	return r, db
}

func TestUsersAreTakenInWithTheirGistsByOneQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	logins := numbered(100)
	for i, login := range logins {
		w.sim.AddUser(sim.User{Login: login, Gists: simGists(login+"-", i%3)})
	}
	w.sim.AddGist(logins[0], sim.Gist{Secret: true})
	r, _ := w.takeIn(logins...)
	w.settled(r, logins...)
	if queries, lists, lookups := w.count(graphQL), w.lists(), w.count(lookUp); queries != 1 || lists != 0 || lookups != 0 {
		t.Errorf("%d queries, %d lists and %d lookups, want one query\n%s", queries, lists, lookups, w.log)
	}
	w.wantPosts(99)
}

func TestAUserWithMoreGistsOrFilesThanAQueryShowsIsReadOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.options.Backfill = gistdeal.BackfillNone
	clock := newClock()
	w.options.Now = clock.now
	logins := numbered(4)
	w.sim.AddUser(sim.User{Login: logins[0], Gists: simGists("a", gistdeal.ProbeGists)})
	w.sim.AddUser(sim.User{Login: logins[1], Gists: simGists("b", gistdeal.ProbeGists+1)})
	w.sim.AddUser(sim.User{Login: logins[2], Gists: []sim.Gist{largeGist()}})
	w.sim.AddUser(sim.User{Login: logins[3]})
	r, _ := w.takeIn(logins...)
	if n := w.lists(); n != 2 {
		t.Errorf("%d lists were read, want those of two users\n%s", n, w.log)
	}
	// Each of them was recorded as skipped, so that none is new now.
	for i, n := range []int{gistdeal.ProbeGists, gistdeal.ProbeGists + 1, 1, 0} {
		deals := w.deals(r, logins[i])
		if len(deals) != n {
			t.Errorf("%s has %d deals, want %d", logins[i], len(deals), n)
		}
		for id, d := range deals {
			if d.State != gistdeal.DealSkipped {
				t.Errorf("the deal of %s is %s, want skipped", id, d.State)
			}
		}
	}
	if requests, queries := w.sweepAgain(clock, r, 4); requests != 0 || queries != 1 {
		t.Errorf("the next sweep took %d requests and %d queries, want one query\n%s", requests, queries, w.log)
	}
	w.wantPosts(0)
}

func TestAVisitReadsTheRawURLsOfATakenInUserOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "user-0", Gists: simGists("a", 2)})
	r, db := w.takeIn("user-0")
	w.settled(r, "user-0")
	urls := func() (all string) {
		gists, err := db.GistsOf(t.Context(), w.user(r, "user-0").ID)
		testenv.Must(t, err)
		for _, g := range gists {
			if len(g.Files) == 0 {
				t.Errorf("%+v has no files", g)
			}
			for _, f := range g.Files {
				all += f.RawURL + " "
			}
		}
		return all
	}
	before := urls()
	if !strings.Contains(before, "https://gist.githubusercontent.com/user-0/a0001/raw/") {
		t.Errorf("the URLs are %s", before)
	}
	for range 2 {
		testenv.Must(t, w.track(r, "user-0"))
	}
	if n := w.lists(); n != 1 {
		t.Errorf("%d lists were read, want one", n)
	}
	if after := urls(); after == before || !strings.Contains(after, "/raw/0000") {
		t.Errorf("the URLs are %s, want those of GitHub", after)
	}
	w.wantPosts(2)
}

// takeInSynthetic has so many synthetic users taken in, and returns what that took.
func takeInSynthetic(t testing.TB, users int) (queries, requests int) {
	t.Helper()
	w := newWorld(t, sim.Options{Seed: 1})
	w.options.Backfill = gistdeal.BackfillNone
	w.sim.AddSyntheticUsers(users)
	db := w.openStore()
	asked := make([]gistdeal.ScanRequest, users)
	for i := range asked {
		asked[i].Login = sim.SyntheticUser(i).Login
	}
	w.ask(db, asked...)
	w.start()
	for left := users; left > 0; { // However slow the machine is, it gets on.
		w.eventually("more users are scanned", func() bool {
			size, err := db.SweepSize(t.Context())
			before := left
			if err == nil {
				left = min(left, size.Requested+size.Unscanned)
			}
			return left < before
		})
	}
	return w.count(graphQL), w.lists() + w.count(lookUp) + w.count(byNumber)
}

func TestHundredsOfUsersAreTakenInWithFewRequests(t *testing.T) {
	t.Parallel()
	const users = 400
	// So a million users take 10,000 queries, of 2,700 an hour if each takes a second, and at most
	// 80,000 requests, of 4,500 an hour: less than 18 hours.
	if queries, requests := takeInSynthetic(t, users); queries > users/100+1 || requests > users*8/100 {
		t.Errorf("%d queries and %d requests for %d users", queries, requests, users)
	}
}

func BenchmarkTakingUsersIn(b *testing.B) {
	const users = 10_000
	for range b.N {
		queries, requests := takeInSynthetic(b, users)
		b.ReportMetric(float64(queries), "queries")
		b.ReportMetric(float64(requests), "requests")
		b.ReportMetric(float64(queries)*100/2700, "h_queries/M")
		b.ReportMetric(float64(requests)*100/4500, "h_requests/M")
	}
}

func TestRulesDecideAboutTheGistsOfATakenInUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	gists := simGists("a", 3)
	gists[0].Fork, gists[1].Files = true, []sim.File{{Name: "a.tf", Language: "HCL", Size: 1}}
	w.sim.AddUser(sim.User{Login: "user-0", Gists: gists})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 3,
		rules.Rule{Name: "forks", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Fork}}},
		rules.Rule{Name: "infra", Action: gistdeal.RuleHold, All: []rules.Condition{{Fact: rules.Language, Value: "HCL"}}},
	)
	w.ask(r.store, gistdeal.ScanRequest{Login: "user-0"})
	w.scanned(r.store, "user-0")
	w.eventually("one deal is created", func() bool { return len(w.sim.Deals()) == 1 })
	for id, state := range map[string]gistdeal.DealState{"a0000": gistdeal.DealSkipped, "a0001": gistdeal.DealAwaitingApproval, "a0002": gistdeal.DealCreated} {
		if d := w.deals(r, "user-0")[id]; d.State != state || d.RulesVersion != 3 {
			t.Errorf("%+v, want %s by the rules", d, state)
		}
	}
	if n := w.lists(); n != 0 {
		t.Errorf("%d lists were read", n)
	}
}
