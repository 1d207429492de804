package e2e_test

import (
	"strconv"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// wantAnswer runs a command at a terminal, answers its question, and checks its exit
// status and a part of the screen.
func wantAnswer(t *testing.T, env map[string]string, answer string, want int, text, command string) {
	t.Helper()
	if status, screen := atTerminal(t, env, answer, command); status != want || !strings.Contains(screen, "[y/N]") || !strings.Contains(screen, text) {
		t.Errorf("%s, answered %q: exit status %d, want %d and %q:\n%s", command, answer, status, want, text, screen)
	}
}

// effect is the JSON output of --dry-run.
type effect struct {
	Gists int
	Cost  struct {
		Deals  int
		Tokens int `json:"pipedrive_tokens"`
	}
}

func TestErasingNeedsAnAnswerOrYes(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	p := start(t, env)
	waitForDeals(t, p, "alice", 3)
	const numbers = "erase alice and 3 gists for good; the 3 deals"
	wantRun(t, env, 80, numbers, "users", "erase", "alice")
	wantRun(t, env, 80, "add --yes to do it, or --dry-run", "users", "erase", "alice")
	wantRun(t, env, 80, "can't be used together", "users", "erase", "alice", "--yes", "--dry-run")
	wantRun(t, env, 0, numbers, "users", "erase", "alice", "--dry-run")
	for _, no := range []string{"", "n", "why"} {
		wantAnswer(t, env, no, 1, "nothing was done", "users erase alice")
	}
	wantRun(t, env, 0, "created  3", "scan", "alice")
	wantAnswer(t, env, "y", 0, "REMAINING DEAL", "users erase alice")
	wantRun(t, env, 1, "is unknown", "users", "erase", "alice", "--dry-run")
}

func TestApprovingManyDealsNeedsAnAnswerOrYes(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 60)
	s.MakeGists("bob", 3)
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "2"
	p := start(t, env)
	for _, login := range []string{"alice", "bob"} {
		p.user(login)
	}
	wantRun(t, env, 80, "queue 63 deals", "users", "approve", "alice", "bob")
	wantRun(t, env, 0, "cost: 315 tokens of Pipedrive for 63 deals", "users", "approve", "alice", "bob", "--dry-run")
	var e effect
	if read(t, env, &e, "users", "approve", "bob", "--dry-run"); e.Gists != 3 || e.Cost.Deals != 3 || e.Cost.Tokens != 15 {
		t.Errorf("%+v, want 3 deals for 15 tokens", e)
	}
	wantDeals(t, s, 0)
	wantRun(t, env, 0, "3 deals queued", "users", "approve", "bob")
	wantAnswer(t, env, "no", 1, "queue 60 deals", "users approve alice")
	wantRun(t, env, 0, "60 deals queued", "users", "approve", "alice", "--yes")
	waitForDeals(t, p, "alice", 60)
	waitForDeals(t, p, "bob", 3)
	wantDeals(t, s, 63)
}

func TestRetryingDealsThatWereNotMeantToBeCreatedNeedsAnAnswerOrYes(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 4)
	p := start(t, env)
	wantRun(t, env, 0, "added", "users", "add", "alice", "--backfill=none")
	testenv.Eventually(t, "the gists are known", func() bool {
		var list listed
		read(t, env, &list, "deals", "list", "--state=skipped")
		return len(list.Deals) == 4
	}, p.out)
	wantRun(t, env, 0, "0 deals queued", "deals", "retry")
	wantRun(t, env, 80, "queue 4 deals", "deals", "retry", "--state=skipped")
	wantRun(t, env, 80, "queue 4 deals", "deals", "retry", "--state=awaiting_approval,skipped", "--user=alice")
	wantRun(t, env, 0, "dry run: nothing is changed", "deals", "retry", "--state=skipped", "--dry-run")
	wantRun(t, env, 0, "queue 0 deals", "deals", "retry", "--dry-run")
	wantRun(t, env, 0, "0 deals queued", "deals", "retry", "--state=awaiting_approval")
	wantAnswer(t, env, "", 1, "nothing was done", "deals retry --state skipped")
	wantDeals(t, s, 0)
	wantAnswer(t, env, "yes", 0, "4 deals queued", "deals retry --state skipped")
	waitForDeals(t, p, "alice", 4)
}

func TestARepairNeedsAnAnswerOrYes(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 1)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Times: 1})
	p := start(t, env)
	testenv.Eventually(t, "the deal is refused", func() bool {
		u := p.user("alice")
		return append(u.Old, u.New...)[0].Deal.State == "failed"
	}, p.out)
	const numbers = "link 0 gists to deals that exist, and queue 1 deals"
	lists := func() int { return s.Report().Requests["GET /api/v2/deals"] }
	before := lists()
	wantRun(t, env, 80, "add --yes to do it", "audit", "--repair")
	if after := lists(); after != before {
		t.Errorf("a repair without an answer listed deals %d times", after-before)
	}
	wantRun(t, env, 80, "an audit changes nothing", "audit", "--dry-run")
	wantRun(t, env, 0, "never_created", "audit", "--repair", "--dry-run")
	var e effect
	if read(t, env, &e, "audit", "--repair", "--dry-run"); e.Gists != 1 || e.Cost.Tokens != 5 {
		t.Errorf("%+v, want one gist for 5 tokens", e)
	}
	wantAnswer(t, env, "", 1, numbers, "audit --repair")
	wantDeals(t, s, 0)
	wantAnswer(t, env, "yes", 0, "done: ", "audit --repair")
	waitForDeals(t, p, "alice", 1)
	if status, screen := atTerminal(t, env, "", "audit --repair"); status != 0 || strings.Contains(screen, "[y/N]") {
		t.Errorf("with nothing to repair: exit status %d:\n%s", status, screen)
	}
}

func TestDeletingAndRecreatingADealNeedAnAnswerOrYes(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "aa01"}}})
	p := start(t, env)
	waitForDeals(t, p, "alice", 1)
	second := strconv.FormatInt(s.SeedDeal("alice", "aa01", "by hand"), 10)
	wantRun(t, env, 1, "is not recorded as a duplicate", "audit", "--delete-duplicate", second, "--dry-run")
	wantRun(t, env, 0, "duplicate", "audit")
	wantRun(t, env, 80, "add --yes to do it", "audit", "--delete-duplicate", second)
	wantRun(t, env, 0, "a duplicate of the deal of gist aa01", "audit", "--delete-duplicate", second, "--dry-run")
	wantAnswer(t, env, "n", 1, "cost: 3 tokens", "audit --delete-duplicate "+second)
	if got := s.Report().ByGist["aa01"]; len(got) != 2 {
		t.Errorf("the gist has the deals %v, want both", got)
	}
	wantAnswer(t, env, "y", 0, "is deleted", "audit --delete-duplicate "+second)

	s.DeleteDeal(s.Report().ByGist["aa01"][0])
	wantRun(t, env, 80, "add --yes to do it", "audit", "--recreate", "aa01")
	wantRun(t, env, 0, "create a new deal for gist aa01 of alice, instead of deal", "audit", "--recreate", "https://gist.github.com/alice/aa01", "--dry-run")
	wantAnswer(t, env, "n", 1, "cost: 5 tokens", "audit --recreate aa01")
	wantDeals(t, s, 0)
	wantAnswer(t, env, "y", 0, "will be recreated", "audit --recreate aa01")
	testenv.Eventually(t, "the deal exists again", func() bool { return s.Report().Deals == 1 }, p.out)
}
