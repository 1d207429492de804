package testenv

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"gistdeal/internal/sim"
)

// Unlimited returns the options without the quotas of both remotes.
func Unlimited(o sim.Options) sim.Options {
	o.Burst, o.DailyTokens, o.GitHubLimit = -1, -1, -1
	return o
}

// Simulate starts simulators of both remotes until the end of the test and
// returns them with their URL. Each wrapper sees the requests before them.
func Simulate(t testing.TB, o sim.Options, wrappers ...func(http.Handler) http.Handler) (s *sim.Sim, url string) {
	t.Helper()
	s = sim.New(o)
	var handler http.Handler = s
	for _, wrap := range wrappers {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.Close() // First, because it ends requests that hang.
		server.Close()
	})
	return s, server.URL
}
