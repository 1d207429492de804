package app_test

import (
	"strconv"
	"testing"

	"gistdeal/internal/sim"
)

func TestLimitsAndAuditsAreToldBesideARunningServe(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens = 30_000 })
	s.AddUser(sim.User{Login: "alice"})
	s.AddGist("alice", sim.Gist{ID: "aa01", Description: "one"})
	wantRun(t, env, 0, "nothing is known yet", "limits")
	wantRun(t, env, 1, "no gistdeal is at work", "audit")
	p := start(t, env)
	p.user("alice")
	eventually(t, "its deal", func() bool { return s.Report().Deals == 1 }, p.out.String)
	eventually(t, "the limits are told", func() bool {
		var limits struct{ Budgets []struct{ Name string } }
		read(t, env, &limits, "limits")
		return len(limits.Budgets) > 0
	}, p.out.String)
	wantRun(t, env, 0, "pipedrive-day", "limits")
	wantRun(t, env, 0, "0 differences", "audit")
	second := s.SeedDeal("alice", "aa01", "by hand")
	wantRun(t, env, 0, "doubled", "audit")
	wantRun(t, env, 0, "doubled", "audit", "--repair")
	wantRun(t, env, 1, "delete it there first", "audit", "--recreate", "aa01")
	wantRun(t, env, 0, "is deleted", "audit", "--delete-surplus", strconv.FormatInt(second, 10))
	wantRun(t, env, 0, "0 differences", "audit")
	if got := s.Report().ByGist["aa01"]; len(got) != 1 {
		t.Errorf("deals %v", got)
	}
}
