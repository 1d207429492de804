package server_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
)

func FuzzNoPathBreaksTheServerOrRequestsAnInvalidLogin(f *testing.F) {
	for _, path := range []string{
		"octocat", "", ".", "..", "../x", "..%2Fgists%3F", "a..b", "%00", "%2e%2e", "%2F%2F", "a/b", "a?peek=true", "a?peek=%ff&;", "a#b",
		"%zz", "a%0d%0aX: y", strings.Repeat("a", 39), strings.Repeat("a", 40), "%F0%9F%90%99", "..;/x", "\\..\\x", "A-_", "a%2",
	} {
		f.Add(path)
	}
	db := stack.Open(f)
	handler := server.New(db, strict{f}, server.Options{}).Handler()
	f.Fuzz(func(t *testing.T, path string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /user/" + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
		if err != nil {
			return // net/http itself refuses it.
		}
		r.RemoteAddr = "127.0.0.1:1" // Requests of this machine are not limited.
		answer := call(handler, r.WithContext(t.Context()))
		switch {
		case answer.status >= 300 && answer.status < 400: // a redirect of net/http to the cleaned path
		case answer.status >= 400 && answer.status < 500:
			problem(t, answer, answer.status)
		default:
			t.Errorf("%q: %d %s", path, answer.status, answer.body)
		}
	})
}

// strict is an engine for a GitHub without users. It accepts valid logins only.
type strict struct{ f *testing.F }

func (e strict) Track(_ context.Context, login string) error {
	if err := gistdeal.CheckLogin(login); err != nil {
		e.f.Errorf("the engine got the login %q", login)
	}
	return errNobody
}
