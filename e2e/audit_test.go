package e2e_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestQuotasAndAuditsAreReportedWhileServeRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens = 30_000 })
	s.AddUser(sim.User{Login: "alice"})
	s.AddGist("alice", sim.Gist{ID: "aa01", Description: "one"})
	wantRun(t, env, 0, "waiting", "users", "add", "alice", "--backfill=all")
	wantRun(t, env, 0, "no quota is known yet", "quota")
	wantRun(t, env, 1, "no gistdeal instance is running", "audit")
	p := start(t, env)
	p.user("alice")
	testenv.Eventually(t, "the deal exists", func() bool { return s.Report().Deals == 1 }, p.out)
	testenv.Eventually(t, "the quotas are reported", func() bool {
		var quotas struct {
			Quotas []struct{ Name string } `json:"quotas"`
		}
		read(t, env, &quotas, "quota")
		return len(quotas.Quotas) > 0
	}, p.out)
	wantRun(t, env, 0, "pipedrive-day", "quota")
	wantRun(t, env, 0, "0 discrepancies", "audit")
	wantRun(t, env, 0, "costs up to about 20 tokens", "audit", "--archived")
	second := s.SeedDeal("alice", "aa01", "by hand")
	wantRun(t, env, 0, "duplicate", "audit")
	wantRun(t, env, 0, "duplicate", "audit", "--repair", "--yes")
	wantRun(t, env, 1, "delete it there first", "audit", "--recreate", "aa01", "--yes")
	wantRun(t, env, 0, "is deleted", "audit", "--delete-duplicate", strconv.FormatInt(second, 10), "--yes")
	wantRun(t, env, 0, "0 discrepancies", "audit")
	if got := s.Report().ByGist["aa01"]; len(got) != 1 {
		t.Errorf("the gist has the deals %v, want one", got)
	}
}

func TestAnAuditCountsDiscrepanciesBeyondThoseListedAndRepairsAllItCan(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	now := time.Now()
	if err == nil {
		_, err = db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillNone, now)
	}
	gists := make([]gistdeal.Gist, gistdeal.MaxDiscrepancies+1)
	for i := range gists {
		gists[i] = gistdeal.Gist{ID: fmt.Sprintf("a%06d", i), CreatedAt: now.Add(-time.Hour)}
	}
	if err == nil {
		_, err = db.SaveGists(t.Context(), 1, gists, gistdeal.NewGistPolicy{First: true, SkipBefore: now}, now)
	}
	if err == nil {
		err = errors.Join(db.MarkGone(t.Context(), 1, nil, now), db.Scanned(t.Context(), 1, gistdeal.Listing{}, now, now.Add(time.Hour)), db.Close())
	}
	testenv.Must(t, err)
	p := start(t, env)
	wantRun(t, env, 0, "10,001 discrepancies, of which the first 10,000 are listed", "audit")
	if !strings.Contains(p.out.String(), `"discrepancies":10001`) {
		t.Errorf("the log does not contain the number of discrepancies:\n%s", p.out)
	}
	s.AddGistDealByHand("alice", gists[len(gists)-1].ID)
	wantRun(t, env, 0, "10,002 discrepancies, of which the first 10,000 are listed", "audit")
	wantRun(t, env, 0, "done: adopt the existing deal", "audit", "--repair", "--yes")
	for _, g := range gists {
		s.AddGistDealByHand("alice", g.ID)
	}
	wantRun(t, env, 0, "done: adopt the existing deal", "audit", "--repair", "--yes")
	var skipped struct{ Deals []any }
	if read(t, env, &skipped, "deals", "list", "--state", "skipped"); len(skipped.Deals) > 0 {
		t.Errorf("%d deals were not adopted", len(skipped.Deals))
	}
}
