package github

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
)

// anonymous returns a client without a token.
func anonymous(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(server.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIdentifyReturnsUserScopesAndLimits(t *testing.T) {
	t.Parallel()
	_, c, asked := simulate(t, sim.Options{TokenUser: "robot", TokenScopes: "gist, repo"})
	i, err := c.Identify(t.Context())
	if err != nil || i.Login != "robot" || !slices.Equal(i.Scopes, []string{"gist", "repo"}) {
		t.Errorf("%+v, %v", i, err)
	}
	if i.Limit != 5000 || i.Remaining != 4999 || time.Until(i.Reset) < 50*time.Minute || time.Since(i.Clock) > time.Minute {
		t.Errorf("limits and clock: %+v", i)
	}
	if n := len(asked.all()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestWithoutATokenReadingTheLimitsIsFree(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{})
	t.Cleanup(s.Close)
	c := anonymous(t, s)
	for range 2 {
		i, err := c.Identify(t.Context())
		if err != nil || i.Login != "" || i.Limit != 60 || i.Remaining != 60 {
			t.Errorf("%+v, %v", i, err)
		}
	}
}

func TestAServerWithoutLimitsHasNone(t *testing.T) {
	t.Parallel()
	c := anonymous(t, reply(http.StatusNotFound, nil, `{"message":"Rate limiting is not enabled."}`))
	if i, err := c.Identify(t.Context()); err != nil || i.Limit != 0 {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestARefusedTokenIsReported(t *testing.T) {
	t.Parallel()
	_, c, _ := simulate(t, sim.Options{GitHubToken: "another"})
	_, err := c.Identify(t.Context())
	wantKind(t, err, gistdeal.Unauthorized)
}
