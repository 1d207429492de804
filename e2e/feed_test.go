package e2e_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

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

func TestANewGistOfATrackedUserIsNoticedInTheFeedWithoutAScan(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	s.MakeGists("alice", 3)
	s.MakeGists("bob", 2)
	s.PostStrangers(500, time.Hour)
	env["GISTDEAL_FEED_INTERVAL"] = "200ms"
	p := start(t, env)
	waitForDeals(t, p, "alice", 3)
	waitForDeals(t, p, "bob", 2)
	lists := func() int { return s.Report().Requests["GET /users/alice/gists"] }
	scans := lists()
	s.PostStrangers(250, time.Second)
	id := s.AddGist("alice", sim.Gist{})
	s.PostStrangers(120, time.Second)
	testenv.Eventually(t, "the new gist has a deal", func() bool { return s.Report().Deals == 6 && len(s.Report().WithoutDeal) == 0 }, p.out)
	if got := lists(); got != scans {
		t.Errorf("alice's list was requested %d times more, want none", got-scans)
	}
	wantRun(t, env, 0, "after its publication", "deals", "explain", id)
	wantRun(t, env, 0, "by           feed", "deals", "explain", id)
	testenv.Eventually(t, "the metrics count the gist", func() bool {
		_, body := p.get("/metrics")
		return regexp.MustCompile(`gistdeal_feed_gists_total{tracked="true"} [1-9]`).MatchString(body) && strings.Contains(body, "gistdeal_feed_gaps_total 0")
	}, p.out)
	noDuplicates(t, s)
}

func TestAGistThatTheFeedLeavesOutIsNoticedByTheNextScan(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1, FeedOmits: 1})
	s.MakeGists("alice", 3)
	env["GISTDEAL_FEED_INTERVAL"], env["GISTDEAL_SCAN_INTERVAL"] = "200ms", "2s"
	p := start(t, env)
	waitForDeals(t, p, "alice", 3)
	id := s.AddGist("alice", sim.Gist{})
	testenv.Eventually(t, "the new gist has a deal", func() bool { return s.Report().Deals == 4 }, p.out)
	wantRun(t, env, 0, "scan", "deals", "explain", id)
}

func TestTheFeedContinuesAfterKillsAndFaultsOfGitHub(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	s.MakeGists("alice", 3)
	s.MakeGists("bob", 2)
	env["GISTDEAL_FEED_INTERVAL"] = "50ms"
	p := start(t, env)
	waitForDeals(t, p, "alice", 3)
	waitForDeals(t, p, "bob", 2)
	s.AddFault(sim.Fault{Match: "GET /gists/public", Kind: "error-before", Share: 0.2, Times: 20})
	deals := 5
	for range 4 {
		for range 5 {
			s.PostStrangers(60, time.Second)
			s.AddGist("alice", sim.Gist{})
			s.AddGist("bob", sim.Gist{})
			deals += 2
		}
		p.signal(syscall.SIGKILL)
		s.PostStrangers(150, time.Second)
		s.AddGist("alice", sim.Gist{})
		deals++
		p = start(t, env)
	}
	testenv.Eventually(t, "each gist has a deal", func() bool { return s.Report().Deals == deals && len(s.Report().WithoutDeal) == 0 }, p.out)
	noDuplicates(t, s)
}
