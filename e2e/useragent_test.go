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

// agents has the User-Agent of each request that the program and its commands sent to a
// remote.
type agents struct {
	mu    sync.Mutex
	names map[string]bool
}

// collect returns a handler that collects the names in the requests that count.
func (a *agents) collect(counts func(*http.Request) bool) func(http.Handler) http.Handler {
	a.names = map[string]bool{}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if counts(r) {
				a.mu.Lock()
				a.names[r.UserAgent()] = true
				a.mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	}
}

// wantOne checks that all requests had one name, with the version and the documentation.
func (a *agents) wantOne(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.names {
		if !regexp.MustCompile(`^gistdeal/dev \(\+https://[^ ]+\)$`).MatchString(name) {
			t.Errorf("a request has the User-Agent %q", name)
		}
	}
	if len(a.names) != 1 {
		t.Errorf("the program and its commands have the names %v, want one", a.names)
	}
}

func TestRequestsToGitHubNameTheProgramAndItsDocumentation(t *testing.T) {
	t.Parallel()
	var sent agents
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}), sent.collect(func(r *http.Request) bool {
		return !strings.Contains(r.URL.Path, "/v1/") && !strings.Contains(r.URL.Path, "/v2/")
	}))
	s.MakeGists("alice", 1)
	env := environment(t, url)
	start(t, env).get("/user/alice")
	wantRun(t, env, 0, "", "doctor")
	sent.wantOne(t)
}
