package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/testenv"
)

// fails is a keyring that cannot be read.
type fails struct{ keyring }

func (fails) TokenOf(context.Context, string, time.Time) (gistdeal.Token, error) {
	return gistdeal.Token{}, errors.New("the disk is broken")
}

// panics is an API with a mistake.
type panics struct{}

func (panics) ServeHTTP(http.ResponseWriter, *http.Request) { panic("a mistake") }
func (panics) Pattern(*http.Request) string                 { return "GET /api/v1/gists.atom" }
func (panics) Close()                                       {}

const feed = "/api/v1/gists.atom?token=" + ciToken

func TestATokenOfAFeedOpensNothingElse(t *testing.T) {
	t.Parallel()
	db := limited{token: gistdeal.Token{Name: "reader", Scope: gistdeal.ScopeFeed}}
	details := func(context.Context) any { return "details" }
	h := server.New(db, answering{errNobody}, server.Options{Details: details}).Handler()
	for _, path := range []string{"/trackedusers", "/user/octocat", "/metrics"} {
		problem(t, from(h, "192.0.2.7:1", path, right), 403)
		problem(t, from(h, "192.0.2.7:1", path+"?token="+ciToken), 401)
	}
	problem(t, sent(h, "POST", "192.0.2.7:1", "/login", `{"token":"`+ciToken+`"}`), 403)
	if got := from(h, "192.0.2.7:1", "/readyz", right); got.status != 200 || strings.Contains(got.body, "details") {
		t.Errorf("/readyz: %d %s", got.status, got.body)
	}
}

func TestNoLogHasTheURLOfAFeed(t *testing.T) {
	t.Parallel()
	log := &testenv.Log{}
	for _, db := range []server.Store{fails{}, limited{token: gistdeal.Token{Name: "reader", Scope: gistdeal.ScopeFeed, ExpiresAt: time.Now().Add(time.Hour)}}} {
		h := server.New(db, answering{errNobody}, server.Options{API: panics{}, Log: log.Logger()}).Handler()
		problem(t, from(h, "192.0.2.7:1", feed), 500)
	}
	for _, event := range []string{"request failed", "panic", "token expires soon"} {
		if !strings.Contains(log.String(), event) {
			t.Errorf("the log has no %q:\n%s", event, log)
		}
	}
	if strings.Contains(log.String(), ciToken) {
		t.Errorf("the log has the token:\n%s", log)
	}
}
