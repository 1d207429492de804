package e2e_test

import (
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestWithoutATokenTheFeedIsReadEveryTenMinutes(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 1})
	delete(env, "GITHUB_TOKEN")
	for interval, want := range map[string]string{"": "10m0s", "30s": "10m0s", "15m": "15m0s", "0s": "0s"} {
		env["GISTDEAL_FEED_INTERVAL"] = interval
		p := start(t, env)
		testenv.Eventually(t, "the log tells the interval", func() bool { return p.out.Count(`"feed_read_every":"`+want+`"`) == 1 }, p.out)
		p.signal(syscall.SIGTERM)
	}
}
