package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAnOfficialURLOfPipedriveWorksAndEachRequestNamesTheProgram(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	names := map[string]int{}
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{}), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Api-Token") != "" {
				mu.Lock()
				names[r.UserAgent()]++
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
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
	mu.Lock()
	defer mu.Unlock()
	for name := range names {
		if !regexp.MustCompile(`^gistdeal/dev \(\+https://[^ ]+\)$`).MatchString(name) {
			t.Errorf("a request named the program %q", name)
		}
	}
	if len(names) != 1 {
		t.Errorf("names %v, want one", names)
	}
}
