package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAnOfficialURLOfPipedriveWorksAndEachRequestNamesTheProgram(t *testing.T) {
	t.Parallel()
	var sent agents
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{}), sent.collect(func(r *http.Request) bool {
		return r.Header.Get("X-Api-Token") != ""
	}))
	env := environment(t, url)
	env["PIPEDRIVE_API_URL"] = url + "/api/v2/"
	s.MakeGists("alice", 2)
	p := start(t, env)
	waitForDeals(t, p, "alice", 2)
	wantDeals(t, s, 2)
	for _, command := range []string{"doctor", "plan alice"} {
		if _, out := launch(t, env, strings.Fields(command)...).exit(); strings.Contains(out, "PIPEDRIVE_API_URL") {
			t.Errorf("%s: %s", command, out)
		}
	}
	sent.wantOne(t)
}
