package e2e_test

import (
	"regexp"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestTheMetricsIncludeTheRemainingQuota(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens = 30_000 })
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	testenv.Eventually(t, "all deals exist", func() bool { return len(s.Report().WithoutDeal) == 0 }, p.out)
	_, text := p.get("/metrics")
	for _, want := range []string{
		`gistdeal_quota_limit\{name="pipedrive-day"\} 30000`,
		`gistdeal_quota_remaining\{name="pipedrive-day"\} 29[89]\d\d`,
		`gistdeal_quota_reserved\{name="pipedrive-day"\} 12000`,
		`gistdeal_quota_remaining\{name="pipedrive-writes"\} 999\d`,
		`gistdeal_pipedrive_requests_total\{status="200"\} \d+`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(text) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

// allMetrics returns the metrics of a program that has created a deal and knows both
// quotas.
func allMetrics(t *testing.T) string {
	t.Helper()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens, o.GitHubLimit = 30_000, 5_000 })
	s.MakeGists("alice", 1)
	p := start(t, env)
	waitForDeals(t, p, "alice", 1) // A counter appears with its first count.
	_, text := p.get("/metrics")
	return text
}
