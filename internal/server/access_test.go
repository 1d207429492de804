package server_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// guarded routes need access rights; public routes are open to everybody.
var (
	guarded = []string{"/user/alice", "/trackedusers", "/metrics"}
	public  = []string{"/livez", "/readyz"}
)

const (
	local  = "127.0.0.1:50000"
	remote = "192.0.2.7:50000"
)

// request is a request with an address of its own: clients with wrong tokens are
// slowed down.
type request struct {
	name, peer, host, header string
	want                     int
}

// withoutTokens lists requests to a server without tokens.
var withoutTokens = []request{
	{name: "localhost", peer: local, host: "localhost", want: 200},
	{name: "localhost with a port", peer: local, host: "localhost:8050", want: 200},
	{name: "LOCALHOST", peer: local, host: "LOCALHOST:8050", want: 200},
	{name: "127.0.0.1", peer: local, host: "127.0.0.1", want: 200},
	{name: "127.0.0.1 with a port", peer: local, host: "127.0.0.1:8050", want: 200},
	{name: "127.1.2.3", peer: "127.9.9.9:1", host: "127.1.2.3:8050", want: 200},
	{name: "[::1]", peer: "[::1]:50000", host: "[::1]", want: 200},
	{name: "[::1] with a port", peer: "[::1]:50000", host: "[::1]:8050", want: 200},
	{name: "IPv4 in IPv6", peer: "[::ffff:127.0.0.1]:50000", host: "localhost", want: 200},

	{name: "a name that was made to point here", peer: local, host: "evil.example:8050", want: 401},
	{name: "a name that begins like ours", peer: local, host: "localhost.evil.example", want: 401},
	{name: "a name that begins like our address", peer: local, host: "127.0.0.1.evil.example", want: 401},
	{name: "a name that ends like ours", peer: local, host: "evil.localhost", want: 401},
	{name: "an address that is not loopback", peer: local, host: "192.0.2.7", want: 401},
	{name: "the address of all interfaces", peer: local, host: "0.0.0.0:8050", want: 401},
	{name: "no host", peer: local, host: "", want: 401},

	{name: "X-Forwarded-For", peer: local, host: "localhost", header: "X-Forwarded-For: 127.0.0.1", want: 401},
	{name: "X-Forwarded-Host", peer: local, host: "localhost", header: "X-Forwarded-Host: localhost", want: 401},
	{name: "X-Forwarded-Proto", peer: local, host: "localhost", header: "X-Forwarded-Proto: https", want: 401},
	{name: "X-Forwarded", peer: local, host: "localhost", header: "X-Forwarded: for=127.0.0.1", want: 401},
	{name: "Forwarded", peer: local, host: "localhost", header: "Forwarded: for=127.0.0.1", want: 401},
	{name: "X-Real-IP", peer: local, host: "localhost", header: "X-Real-IP: 127.0.0.1", want: 401},
	{name: "Via", peer: local, host: "localhost", header: "Via: 1.1 proxy", want: 401},
	{name: "an empty X-Forwarded-For", peer: local, host: "localhost", header: "X-Forwarded-For: ", want: 401},

	{name: "another machine", peer: remote, host: "localhost", want: 401},
	{name: "another machine by our name", peer: remote, host: "gistdeal.example", want: 401},
	{name: "a peer without an address", peer: "@", host: "localhost", want: 401},
	{name: "X-Client-IP", peer: local, host: "localhost", header: "X-Client-IP: 127.0.0.1", want: 401},
	{name: "CloudFront-Viewer-Address", peer: local, host: "localhost", header: "CloudFront-Viewer-Address: 127.0.0.1:1", want: 401},
	{name: "the public name of a server with tokens", peer: local, host: "gistdeal.example", want: 401},
	{name: "a password on this machine", peer: local, host: "localhost", header: "Authorization: Basic YTpi", want: 200},
	{name: "a password on another machine", peer: remote, host: "x", header: "Authorization: Basic YTpi", want: 401},
}

// withTokens lists requests with a token to a server with tokens.
var withTokens = []request{
	{name: "the right token", peer: remote, host: "gistdeal.example", header: right, want: 200},
	{name: "the right token, scheme in lower case", peer: remote, host: "gistdeal.example", header: "Authorization: bearer " + ciToken, want: 200},
	{name: "the right token on this machine", peer: local, host: "localhost", header: right, want: 200},
	{name: "a wrong token", peer: "192.0.2.12:1", host: "gistdeal.example", header: wrong, want: 401},
	{name: "a wrong token on this machine", peer: "127.0.0.2:1", host: "localhost", header: wrong, want: 401},
	{name: "an empty token", peer: "127.0.0.3:1", host: "localhost", header: "Authorization: Bearer ", want: 401},
	{name: "the token's hash", peer: "192.0.2.14:1", host: "x", header: "Authorization: Bearer " + gistdeal.HashToken(ciToken), want: 401},
	{name: "the right token with more behind it", peer: "192.0.2.15:1", host: "x", header: right + "x", want: 401},
	{name: "the token as the id of a log-in", peer: "192.0.2.16:1", host: "x", header: "Cookie: gistdeal=" + ciToken, want: 401},
	{name: "an empty cookie", peer: "127.0.0.4:1", host: "localhost", header: "Cookie: gistdeal=", want: 401},
}

// withAuthNone lists requests to a server without tokens for everybody at
// http://gistdeal.example.
var withAuthNone = []request{
	{name: "the public URL", peer: remote, host: "gistdeal.example", want: 200},
	{name: "the public URL with its port", peer: remote, host: "gistdeal.example:80", want: 200},
	{name: "the public URL in capitals", peer: remote, host: "GISTDEAL.example", want: 200},
	{name: "behind a proxy", peer: remote, host: "gistdeal.example", header: "X-Forwarded-For: 192.0.2.9", want: 200},
	{name: "behind a proxy with a password", peer: remote, host: "gistdeal.example", header: "Authorization: Basic YTpi", want: 200},
	{name: "another port", peer: remote, host: "gistdeal.example:8050", want: 401},
	{name: "a name that was made to point here", peer: remote, host: "evil.example", want: 401},
	{name: "a name that begins like ours", peer: remote, host: "gistdeal.example.evil.example", want: 401},
	{name: "the name in another header", peer: remote, host: "evil.example", header: "X-Forwarded-Host: gistdeal.example", want: 401},
	{name: "this machine", peer: local, host: "localhost", want: 401},
	{name: "no host", peer: remote, host: "", want: 401},
	{name: "a wrong token", peer: "192.0.2.13:1", host: "gistdeal.example", header: wrong, want: 401},
}

func TestAccessRules(t *testing.T) {
	t.Parallel()
	fresh, used := stack.Open(t), stack.Open(t)
	fill(t, fresh, 1, 10)
	fill(t, used, 1, 10)
	token(t, used)
	details := func(context.Context) any { return map[string]string{"pushes": "paused"} }
	everybody := append(slices.Clone(withoutTokens), withAuthNone...)
	for _, tt := range []struct {
		name     string
		db       server.Store
		options  server.Options
		requests []request
		want     int // instead of those of the requests
	}{
		{"without tokens", fresh, server.Options{}, withoutTokens, 0},
		{"with a token", used, server.Options{}, withTokens, 0},
		{"with a token, without sending it", used, server.Options{}, everybody, 401},
		{"each request needs a token", fresh, server.Options{Auth: server.AuthToken}, everybody, 401},
		{"each request needs a token, and has one", used, server.Options{Auth: server.AuthToken}, withTokens, 0},
		{"no request needs a token", fresh, server.Options{Auth: server.AuthNone, PublicURL: "http://gistdeal.example"}, withAuthNone, 0},
		{"no request needs a token, and has one", used, server.Options{Auth: server.AuthNone, PublicURL: "http://gistdeal.example"}, withTokens, 0},
		{"no request needs a token, at an unknown address", fresh, server.Options{Auth: server.AuthNone}, everybody, 401},
	} {
		tt.options.Details = details
		handler := server.New(tt.db, answering{errNobody}, tt.options).Handler()
		for _, r := range tt.requests {
			t.Run(tt.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				r.want = cmp.Or(tt.want, r.want)
				r.try(t, handler)
			})
		}
	}
}

// try sends a request to each route and checks the answers.
func (tt request) try(t *testing.T, handler http.Handler) {
	t.Helper()
	ask := func(path string) reply {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.RemoteAddr, r.Host = tt.peer, tt.host
		if name, value, ok := strings.Cut(tt.header, ": "); ok {
			r.Header.Set(name, value)
		}
		return call(handler, r)
	}
	for _, path := range guarded {
		r := ask(path)
		if tt.want == 200 {
			if r.status != 200 {
				t.Errorf("%s: %d, want 200: %s", path, r.status, r.body)
			}
			continue
		}
		problem(t, r, 401)
		if r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without WWW-Authenticate", path)
		}
	}
	for _, path := range public {
		if r := ask(path); r.status != 200 {
			t.Errorf("%s: %d, want 200", path, r.status)
		}
	}
	if told := strings.Contains(ask("/readyz").body, "paused"); told != (tt.want == 200) {
		t.Errorf("the answer of /readyz has details: %t", told)
	}
}

func TestAStrangerBehindAForwarderGetsNothingOnceATokenExists(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	w.url = "http://" + testenv.Forward(t, strings.TrimPrefix(w.url, "http://"))
	if got := w.ask("GET", "/trackedusers", "Host: localhost"); got.status != 200 {
		t.Errorf("while there is no token a forwarded connection looks like one of this machine: %d", got.status)
	}
	token(t, db)
	for _, host := range []string{"localhost", "localhost:8050", "127.0.0.1", "[::1]", "gistdeal.example", ""} {
		problem(t, w.ask("GET", "/trackedusers", "Host: "+host), 401)
		problem(t, w.ask("GET", "/user/alice", "Host: "+host), 401)
	}
	if got := w.ask("GET", "/trackedusers", right); got.status != 200 {
		t.Errorf("with the token: %d", got.status)
	}
}

func TestADNSRebindingPageGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	problem(t, w.ask("GET", "/trackedusers", "Host: evil.example"), 401)
	if r := w.ask("GET", "/trackedusers"); r.status != 200 {
		t.Errorf("without the host name: %d", r.status)
	}
}

func TestAnUnsupportedMethodGets405(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	for path, allowed := range map[string]string{
		"/user/alice": "GET, HEAD, POST", "/trackedusers": "GET, HEAD", "/livez": "GET, HEAD",
		"/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/": "GET, HEAD",
	} {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
			if strings.Contains(allowed, method) {
				continue
			}
			r := w.ask(method, path)
			problem(t, r, 405)
			if got := r.header.Get("Allow"); got != allowed {
				t.Errorf("%s %s: Allow is %q, want %q", method, path, got, allowed)
			}
		}
	}
}

func TestATokenThatCannotBeCheckedIsNotReportedAsWrong(t *testing.T) {
	t.Parallel()
	s := server.New(broken{stack.Open(t)}, answering{errNobody}, server.Options{})
	for _, path := range guarded {
		r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
		r.Header.Set("Authorization", "Bearer "+ciToken)
		problem(t, call(s.Handler(), r), 500)
	}
}

func TestAPanicIsAnsweredWith500AndLogged(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			_, _ = w.Write([]byte(strings.Repeat("half an answer", 1000)))
		}
		panic(errors.New("secret-bug"))
	})
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{Page: page}, nil)
	w.told = "secret-bug"
	p := problem(t, w.ask("GET", "/"), 500)
	log := w.log.String()
	if !strings.Contains(log, "secret-bug") || !strings.Contains(log, p.RequestID) || !strings.Contains(log, "access_test.go") {
		t.Errorf("the log lacks the panic, its position or its request_id %s:\n%s", p.RequestID, log)
	}
	// A client must be able to detect a truncated answer.
	if resp, err := client.Do(w.request(t.Context(), "GET", "/half", nil)); err == nil {
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("a truncated answer of %d bytes looks complete", len(b))
		}
	}
	if got := w.ask("GET", "/metrics").body; !strings.Contains(got, `gistdeal_http_request_duration_seconds_count{method="GET",route="/",status="500"} 1`) {
		t.Errorf("the metrics do not count the panic:\n%s", got)
	}
}

func TestAReadTokenListsTrackedUsersAndTracksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	token(t, w.store)
	testenv.Must(t, w.store.SetToken(t.Context(), "viewer", gistdeal.HashToken("viewer-token"), gistdeal.ScopeRead, time.Now()))
	const viewer = "Authorization: Bearer viewer-token"
	w.sim.MakeGists("alice", 2)
	w.sim.MakeGists("bob", 2)
	w.shows(w.ask("GET", "/user/alice", right), 200, 0, 2)
	w.shows(w.ask("GET", "/user/alice", viewer), 200, 0, 2)
	w.shows(w.ask("GET", "/user/alice", viewer), 200, 2, 0)
	problem(t, w.ask("GET", "/user/bob", viewer), 403)
	if logins, err := w.store.Logins(t.Context()); err != nil || len(logins) != 1 {
		t.Errorf("tracked users: %v, %v; want only alice", logins, err)
	}
}
