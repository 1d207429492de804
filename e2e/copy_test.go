package e2e_test

import (
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestAfterACopyToPostgreSQLEachGistStillHasOneDeal(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 200)
	file, database := env["GISTDEAL_DATABASE_URL"], pgtest.URL(t)
	p := start(t, env)
	p.user("alice")
	testenv.Eventually(t, "some deals exist", func() bool { return s.Report().Deals >= 20 }, p.out)
	if status, out := launch(t, env, "copy", file, database).exit(); status != 1 || !strings.Contains(out, "stop it, then copy") {
		t.Errorf("while serve runs: exit status %d:\n%s", status, out)
	}
	p.signal(syscall.SIGKILL) // Some deals are under way.
	for _, args := range [][]string{{file, file}, {database, file}, {"nothing.db", database}} {
		if status, out := launch(t, env, append([]string{"copy"}, args...)...).exit(); status != 1 {
			t.Errorf("%v: exit status %d:\n%s", args, status, out)
		}
	}
	if status, out := launch(t, env, "copy", file, database).exit(); status != 0 || !strings.Contains(out, "equal on both sides") {
		t.Fatalf("exit status %d:\n%s", status, out)
	}
	env["GISTDEAL_DATABASE_URL"] = database
	p = start(t, env)
	waitForDeals(t, p, "alice", 200)
	wantDeals(t, s, 200)
}
