package estimate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/github"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// world is the simulated remotes and an empty database.
type world struct {
	sim *sim.Sim
	url string
	hub *github.Client
	db  *store.Store
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{db: stack.Open(t)}
	w.sim, w.url = testenv.Simulate(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.hub, _ = stack.Clients(t, w.url, pipedrive.Options{})
	return w
}

// estimate estimates with the pace of the simulated account.
func (w world) estimate(t *testing.T, backfill gistdeal.Backfill, logins ...string) estimate.Estimate {
	t.Helper()
	return w.answer(t, estimate.Question{Logins: logins, Backfill: backfill})
}

func (w world) answer(t *testing.T, q estimate.Question) estimate.Estimate {
	t.Helper()
	e, err := estimate.Make(t.Context(), w.hub, w.db, q, func(ctx context.Context) (estimate.Pace, error) {
		return estimate.PaceOf(ctx, w.url, pipedrive.Options{Token: "pipedrive", Rate: 10})
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewUsersCostADealForEachGist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 150)
	w.sim.MakeGists("bob", 30)
	w.sim.AddUser(sim.User{Login: "acme", Type: "Organization"})
	e := w.estimate(t, gistdeal.BackfillAll, "alice", "@bob", "ALICE", "nobody-here", "acme", "-bad-")
	if e.Deals != 180 || e.PipedriveRequests != 180 || e.PipedriveTokens != 180*pipedrive.DealTokens || e.GitHubRequests != 2+1+1+1 || e.Seconds != 19 { // at a bit less than 10 a second
		t.Errorf("%+v", e)
	}
	if e.Days == nil || *e.Days != 1 || e.DayTokens == nil || *e.DayTokens != 30_000 {
		t.Errorf("days %v, tokens %v", e.Days, e.DayTokens)
	}
	for _, u := range e.Users[2:] {
		if u.Problem == "" {
			t.Errorf("%+v, want a problem", u)
		}
	}
	if e := w.estimate(t, gistdeal.BackfillNone, "alice"); e.Deals != 0 || e.Users[0].All != 150 {
		t.Errorf("with backfill none: %+v", e)
	}
}

func TestTheCostOfDealsIsKnownWithoutTheDailyQuota(t *testing.T) {
	t.Parallel()
	if c := estimate.CostOf(60, estimate.Pace{PerSecond: 4}); c.Deals != 60 || c.Tokens != 60*pipedrive.DealTokens || c.Seconds != 15 || c.Days != nil {
		t.Errorf("without quotas: %+v", c)
	}
	day := gistdeal.Quota{Name: pipedrive.QuotaDay, Limit: 1000, Remaining: 100, Reserved: 100}
	if c := estimate.CostOf(200, estimate.Pace{PerSecond: 4, Quotas: []gistdeal.Quota{day}}); c.Days == nil || *c.Days != 2 {
		t.Errorf("1,000 tokens with 900 left tomorrow: %+v", c)
	}
}

func TestDealsThatExistAreNotCountedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 5)
	account, err := w.hub.User(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	_, trackErr := w.db.Track(t.Context(), account, gistdeal.BackfillAll, now)
	_, saveErr := w.db.SaveGists(t.Context(), account.ID, []gistdeal.Gist{{ID: "a1"}, {ID: "a2"}, {ID: "a3"}}, gistdeal.NewGistPolicy{First: true}, now)
	scanErr := w.db.Scanned(t.Context(), account.ID, gistdeal.Listing{}, now, now)
	_, beginErr := w.db.BeginCatchUp(t.Context(), false)
	endErr := w.db.EndCatchUp(t.Context(), now)
	claim, _, claimErr := w.db.Claim(t.Context(), "test", now, now)
	_, createErr := w.db.RecordCreated(t.Context(), claim, 1, now)
	if err := errors.Join(trackErr, saveErr, scanErr, beginErr, endErr, claimErr, createErr); err != nil {
		t.Fatal(err)
	}
	// Gists that no scan has read yet get a deal with any backfill.
	e := w.estimate(t, gistdeal.BackfillNone, "alice")
	if u := e.Users[0]; u.State != "active" || u.Created != 1 || u.Waiting != 2 || u.None != 2 || e.Deals != 2 {
		t.Errorf("%+v", e)
	}
}

func TestAQuotaThatIsTooSmallMeansNever(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.Set(func(o *sim.Options) { o.DailyTokens = 4 })
	w.sim.MakeGists("alice", 1)
	if e := w.estimate(t, gistdeal.BackfillAll, "alice"); e.Days == nil || *e.Days != 0 || e.Deals != 1 {
		t.Errorf("%+v, want that a deal is never created", e)
	}
}

func TestWithoutAKeyTheQuotaIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pace, err := estimate.PaceOf(t.Context(), w.url, pipedrive.Options{Rate: 3})
	if err != nil || pace.PerSecond > 3 || pace.PerSecond < 2 || len(w.sim.Report().Requests) != 0 {
		t.Errorf("%+v, %v, requests %v", pace, err, w.sim.Report().Requests)
	}
	if _, err := estimate.PaceOf(t.Context(), "no address", pipedrive.Options{}); err == nil {
		t.Error("a pace of no address")
	}
}

func TestAnExceededLimitOfGitHubEndsTheLookups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.Set(func(o *sim.Options) { o.GitHubLimit = 2 })
	var logins []string
	for _, login := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		w.sim.AddUser(sim.User{Login: login})
		logins = append(logins, login)
	}
	known := 0
	for _, u := range w.estimate(t, gistdeal.BackfillAll, logins...).Users {
		if u.Problem == "" {
			known++
		}
	}
	if asked := w.sim.Report().Requests["GET /users/{login}"]; known != 2 || asked > 2+4 {
		t.Errorf("%d users are known after %d requests, want 2 after 6 at most", known, asked)
	}
}
