package app_test

import (
	"strconv"
	"strings"
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

func TestAPersonAtTheTerminalIsShownWhatARepairDoesAndAsked(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 1)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Times: 1})
	p := start(t, env)
	eventually(t, "a refused deal", func() bool {
		u := p.user("alice")
		return append(u.Old, u.New...)[0].Deal.State == "failed"
	}, p.out.String)
	if status, screen := atTerminal(t, env, "", "audit --repair"); status != 1 || !strings.Contains(screen, "never made") || !strings.Contains(screen, "nothing was done") {
		t.Errorf("no: exit status %d:\n%s", status, screen)
	}
	if n := s.Report().Deals; n != 0 {
		t.Errorf("%d deals after no", n)
	}
	if status, screen := atTerminal(t, env, "yes", "audit --repair"); status != 0 || !strings.Contains(screen, "done: ") {
		t.Errorf("yes: exit status %d:\n%s", status, screen)
	}
	allMade(t, p, "alice", 1)
}
