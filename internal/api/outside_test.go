package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
)

// sendOutside sends a request to a route outside /api/v1 and checks the answer
// against the document.
func (w *world) sendOutside(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	testenv.Must(w.t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	testenv.Must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testenv.Must(w.t, err)
	w.check(r, resp, text)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func TestTheRoutesOfTheServerAnswerAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 2)
	const json = "Content-Type: application/json"
	calls := func(headers ...string) map[string]int {
		statuses := map[string]int{}
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/user/alice", ""},
			{"POST", "/user/alice", ""},
			{"GET", "/user/alice?peek=maybe", ""},
			{"GET", "/user/nobody-here", ""},
			{"GET", "/trackedusers", ""},
			{"GET", "/livez", ""},
			{"GET", "/readyz", ""},
			{"GET", "/metrics", ""},
			{"POST", "/login", `{"token":"wrong"}`},
			{"POST", "/login", `{}`},
			{"POST", "/login", `{"token":"right"}`},
			{"POST", "/logout", ""},
		} {
			r := w.sendOutside(c.method, c.path, c.body, append(headers, json)...)
			statuses[c.method+" "+c.path+c.body] = r.status
		}
		return statuses
	}
	testenv.Must(t, w.db.SetToken(t.Context(), "right", gistdeal.HashToken("right"), gistdeal.ScopeAdmin, time.Now()))
	got := calls("Authorization: Bearer right")
	for call, want := range map[string]int{
		"GET /user/alice": 200, "POST /user/alice": 200, "GET /user/alice?peek=maybe": 400, "GET /user/nobody-here": 404, "GET /trackedusers": 200,
		"GET /livez": 200, "GET /readyz": 200, "GET /metrics": 200,
		`POST /login{"token":"wrong"}`: 401, "POST /login{}": 400, `POST /login{"token":"right"}`: 200, "POST /logout": 204,
	} {
		if got[call] != want {
			t.Errorf("%s: %d, want %d", call, got[call], want)
		}
	}
	for call, status := range calls() {
		if open := strings.Contains(call, "/livez") || strings.Contains(call, "/readyz") || strings.Contains(call, "/log"); !open && status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d, want 401", call, status)
		}
	}
	for _, path := range []string{"/user/alice", "/trackedusers", "/livez", "/readyz", "/metrics", "/login", "/logout"} {
		if w.doc.Paths.Value(pathOf(path)) == nil {
			t.Errorf("%s is not in the document", path)
		}
	}
}

func pathOf(path string) string { return strings.Replace(path, "alice", "{login}", 1) }
