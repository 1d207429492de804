package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
)

func TestWithAuthTokenRequestsOfThisMachineNeedATokenToo(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 1, 1)
	token(t, db)
	handler := server.New(db, answering{errNobody}, server.Options{Auth: server.AuthToken}).Handler()
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer " + ciToken: 200} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/trackedusers", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		got := call(handler, r)
		if got.status != want {
			t.Errorf("%q: status %d, want %d: %s", header, got.status, want, got.body)
		}
		if header == "" && !strings.Contains(got.body, "every request needs a token") {
			t.Errorf("the answer does not say that each request needs a token: %s", got.body)
		}
	}
}
