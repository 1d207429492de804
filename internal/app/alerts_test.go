package app_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"gistdeal/internal/sim"
)

const alerts = "../../docs/alerts.yml"

func TestTheAlertsAreRulesThatPrometheusTakes(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("promtool is not installed; scripts/packages.sh installs it")
	}
	for _, args := range [][]string{{"check", "rules", alerts}, {"test", "rules", "testdata/alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

func TestTheAlertsWatchMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile(alerts)
	if err != nil {
		t.Fatal(err)
	}
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens, o.GitHubLimit = 30_000, 5_000 }) // Both tell their budgets.
	s.MakeGists("alice", 1)
	p := start(t, env)
	allMade(t, p, "alice", 1) // Counters show once they have counted.
	_, metrics := p.get("/metrics")
	names := regexp.MustCompile(`gistdeal_[a-z_]+`).FindAllString(string(rules), -1)
	if len(names) == 0 {
		t.Fatal("the alerts name no metric")
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(metrics) {
			t.Errorf("there is no %s in /metrics", name)
		}
	}
}
