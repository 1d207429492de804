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

func TestRequestsToGitHubNameTheProgramAndItsDocumentation(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	names := map[string]bool{}
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, "/v1/") && !strings.Contains(r.URL.Path, "/v2/") {
				mu.Lock()
				names[r.UserAgent()] = true
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	s.MakeGists("alice", 1)
	env := environment(t, url)
	start(t, env).get("/user/alice")
	wantRun(t, env, 0, "", "doctor")
	mu.Lock()
	defer mu.Unlock()
	want := regexp.MustCompile(`^gistdeal/\S+ \(\+https://\S+\)$`)
	for name := range names {
		if !want.MatchString(name) {
			t.Errorf("a request has the User-Agent %q", name)
		}
	}
	if len(names) != 1 {
		t.Errorf("the program and its commands have the names %v, want one", names)
	}
}
