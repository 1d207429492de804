package server_test

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// browser is a browser on another machine.
type browser struct {
	t       *testing.T
	handler http.Handler
	cookie  string // as sent, "" for none
	headers []string
	tls     bool
}

// send sends a request and stores the cookie of the answer.
func (b *browser) send(method, path, body string, headers ...string) reply {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "192.0.2.7:50000", "gistdeal.example"
	if b.tls {
		r.TLS = &tls.ConnectionState{}
	}
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	for _, h := range append(b.headers, headers...) {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer := call(b.handler, r)
	if set := answer.header.Get("Set-Cookie"); set != "" {
		b.cookie, _, _ = strings.Cut(set, ";")
		if strings.Contains(set, "Max-Age=0") {
			b.cookie = ""
		}
	}
	return answer
}

// logIn logs in and returns the Set-Cookie header.
func (b *browser) logIn(token string) string {
	b.t.Helper()
	answer := b.send("POST", "/login", `{"token":"`+token+`"}`)
	if answer.status != 200 || strings.Contains(answer.body, token) {
		b.t.Fatalf("log-in: %d %s", answer.status, answer.body)
	}
	return answer.header.Get("Set-Cookie")
}

func TestALoggedInClientIsTheVisitorOfItsToken(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	token(t, db)
	w := &world{t: t, store: db}
	b := &browser{t: t, handler: server.New(db, answering{errNobody}, server.Options{}).Handler()}
	problem(t, b.send("GET", "/user/alice", ""), 401)
	if got := b.send("POST", "/login", `{"token":"`+ciToken+`"}`); got.status != 200 || got.body != `{"name":"ci","scope":"admin"}`+"\n" {
		t.Errorf("log-in: %d %s", got.status, got.body)
	}
	w.shows(b.send("GET", "/user/alice", "", fromOurPage), 200, 0, 2)
	if w.visited("ci") == 0 || w.visited(gistdeal.Anonymous) != 0 {
		t.Error("the visit was not recorded for the token")
	}
	w.shows(b.send("GET", "/user/alice", "", "Authorization: Bearer "+ciToken), 200, 2, 0)
	problem(t, b.send("GET", "/user/alice", "", "Authorization: Bearer wrong"), 401)
	if b.cookie == "" {
		b.logIn(ciToken)
	}

	if got := b.send("POST", "/logout", ""); got.status != 204 || b.cookie != "" {
		t.Errorf("log-out: %d, the cookie is %q", got.status, b.cookie)
	}
	problem(t, b.send("GET", "/user/alice", ""), 401)

	b.logIn(ciToken)
	testenv.Must(t, db.RevokeToken(t.Context(), "ci", time.Now()))
	problem(t, b.send("GET", "/user/alice", ""), 401)
	if b.cookie != "" {
		t.Error("the browser still has the cookie of a revoked token")
	}
}

func TestALogInEndsOnTheServerAndWithItsToken(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	handler := server.New(db, answering{errNobody}, server.Options{}).Handler()
	logIn := func() *browser {
		b := &browser{t: t, handler: handler}
		if set := b.logIn(ciToken); strings.Contains(set, ciToken) || strings.Contains(set, base64.RawURLEncoding.EncodeToString([]byte(ciToken))) {
			t.Errorf("the cookie contains the token: %s", set)
		}
		return b
	}
	first, second := logIn(), logIn()
	if first.cookie == second.cookie {
		t.Error("two log-ins have the same cookie")
	}
	stolen := &browser{t: t, handler: handler, cookie: first.cookie}
	if got := stolen.send("GET", "/trackedusers", ""); got.status != 200 {
		t.Fatalf("before the log-out: %d", got.status)
	}
	first.send("POST", "/logout", "")
	problem(t, stolen.send("GET", "/trackedusers", ""), 401)
	if got := second.send("GET", "/trackedusers", ""); got.status != 200 {
		t.Errorf("the log-out ended another log-in: %d", got.status)
	}
	testenv.Must(t, db.SetToken(t.Context(), "ci", gistdeal.HashToken("another value"), gistdeal.ScopeAdmin, time.Now()))
	problem(t, second.send("GET", "/trackedusers", ""), 401)
}

// fromOurPage is the header of a request that our page caused.
const fromOurPage = "Sec-Fetch-Site: same-origin"

func TestALinkInAMailTracksNobodyBeforeAConfirmation(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	token(t, db)
	handler := server.New(db, answering{errAsked}, server.Options{}).Handler()
	w, b := &world{t: t, store: db}, &browser{t: t, handler: handler, headers: []string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "User-Agent: Mozilla/5.0"}}
	b.logIn(ciToken)
	if got := b.send("GET", "/user/nobody", ""); got.status != 303 || got.header.Get("Location") != "/#/users/nobody" {
		t.Errorf("a user that is not tracked: %d, to %q", got.status, got.header.Get("Location"))
	}
	for range 2 {
		w.shows(b.send("GET", "/user/alice", ""), 200, 0, 2)
	}
	b.cookie = ""
	problem(t, b.send("GET", "/user/nobody", "", right), 400) // The engine was asked.
	w.shows(b.send("GET", "/user/alice", "", right), 200, 0, 2)
	w.shows(b.send("GET", "/user/alice", "", right), 200, 2, 0)
}

func TestOverPlainHTTPAPageOfAnotherSiteTracksNobody(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	o := server.Options{Auth: server.AuthNone, PublicURL: "http://gistdeal.example"}
	w, b := &world{t: t, store: db}, &browser{t: t, handler: server.New(db, answering{errAsked}, o).Handler()}
	const image = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
	problem(t, b.send("GET", "/user/nobody", "", image), 404)
	w.shows(b.send("GET", "/user/alice", "", image), 200, 0, 2)
	if got := b.send("GET", "/user/nobody", "", image, "Accept: text/html,*/*;q=0.8"); got.status != 303 {
		t.Errorf("a link: %d, want the page", got.status)
	}
	problem(t, b.send("GET", "/user/nobody", "", "User-Agent: curl/8"), 400)
	problem(t, b.send("POST", "/user/nobody", "", image, "Origin: http://evil.example"), 403)
	w.shows(b.send("GET", "/user/alice", "", "User-Agent: curl/8"), 200, 0, 2)
	w.shows(b.send("GET", "/user/alice", "", "User-Agent: curl/8"), 200, 2, 0)
}

// errAsked tells that the engine was asked to track a user.
var errAsked = gistdeal.Errorf(gistdeal.Invalid, "the engine was asked")

func TestAFailedLoginSetsNoCookie(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	token(t, db)
	b := &browser{t: t, handler: server.New(db, answering{errNobody}, server.Options{}).Handler()}
	for body, want := range map[string]int{
		"": 400, "token=" + ciToken: 400, `{"token":""}`: 400, `{"token":1}`: 400, `{}`: 400, `["` + ciToken + `"]`: 400,
		`{"token":"wrong"}`: 401, `{"token":"` + gistdeal.HashToken(ciToken) + `"}`: 401,
	} {
		problem(t, b.send("POST", "/login", body), want)
		if b.cookie != "" {
			t.Errorf("%s: the answer sets a cookie", body)
		}
	}
	problem(t, b.send("GET", "/login?token="+ciToken, ""), 405)
}

func TestNoScriptReadsTheCookieAndOnlyTLSCarriesOneThatCameByIt(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	const odd = `a"b;c,d\e=%`
	testenv.Must(t, db.SetToken(t.Context(), "odd", gistdeal.HashToken(odd), gistdeal.ScopeRead, time.Now()))
	handler := server.New(db, answering{errNobody}, server.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}}).Handler()
	others := server.New(db, answering{errNobody}, server.Options{PublicURL: "http://gistdeal.example"}).Handler()
	public := server.New(db, answering{errNobody}, server.Options{PublicURL: "https://gistdeal.example"}).Handler()
	for name, b := range map[string]*browser{
		"plain": {handler: handler}, "TLS": {handler: handler, tls: true}, "TLS to the public URL": {handler: public},
		"TLS to a proxy":       {handler: handler, headers: []string{"X-Forwarded-Proto: https"}},
		"no TLS to a proxy":    {handler: handler, headers: []string{"X-Forwarded-Proto: http"}},
		"a proxy of strangers": {handler: others, headers: []string{"X-Forwarded-Proto: https"}},
	} {
		b.t = t
		set := b.logIn(strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(odd))
		want := []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"}
		if secure := strings.HasPrefix(name, "TLS"); secure != strings.Contains(set, "; Secure") || secure != strings.HasPrefix(set, "__Host-") {
			t.Errorf("%s: %s", name, set)
		}
		for _, attribute := range want {
			if !strings.Contains(set, "; "+attribute) {
				t.Errorf("%s: no %s in %s", name, attribute, set)
			}
		}
		if strings.Contains(set, "Domain") {
			t.Errorf("%s: other hosts receive the cookie: %s", name, set)
		}
		if got := b.send("GET", "/trackedusers", ""); got.status != 200 {
			t.Errorf("%s: the cookie is not accepted: %d %s", name, got.status, got.body)
		}
	}
}

const publicURL = "https://deals.example"

// crossSite lists headers of browsers; ok means that the request may change data,
// unless it is a GET with a cookie that was only followed.
var crossSite = []struct {
	name     string
	headers  []string
	ok       bool
	followed bool
}{
	{"no browser, or one over plain HTTP", nil, true, true},
	{"our page", []string{"Sec-Fetch-Site: same-origin", "Origin: http://gistdeal.example"}, true, false},
	{"our page, by GET", []string{"Sec-Fetch-Site: same-origin"}, true, false},
	{"a person's bookmark", []string{"Sec-Fetch-Site: none"}, true, true},
	{"another site", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, false, false},
	{"another site that says to be ours", []string{"Sec-Fetch-Site: cross-site", "Origin: http://gistdeal.example"}, false, false},
	{"a neighbour", []string{"Sec-Fetch-Site: same-site", "Origin: https://evil.gistdeal.example"}, false, false},
	{"a word that no browser says", []string{"Sec-Fetch-Site: x"}, false, false},
	{"our page in an old browser", []string{"Origin: http://gistdeal.example"}, true, false},
	{"another site in an old browser", []string{"Origin: https://evil.example"}, false, false},
	{"a frame without a name", []string{"Origin: null"}, false, false},
	{"the page by its public name", []string{"Origin: " + publicURL}, true, false},
	{"the page by its public name, from another host", []string{"Sec-Fetch-Site: cross-site", "Origin: " + publicURL}, true, false},
	{"one that begins like it", []string{"Origin: " + publicURL + ".evil.example"}, false, false},
	{"the public name without TLS", []string{"Origin: http://deals.example"}, false, false},
}

func TestACrossSiteRequestChangesNothing(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	token(t, db)
	handler := server.New(db, answering{errAsked}, server.Options{PublicURL: publicURL}).Handler()
	w := &world{t: t, store: db}
	for _, tt := range crossSite {
		for _, caller := range []string{"a cookie", "a bearer"} {
			b := &browser{t: t, handler: handler}
			b.logIn(ciToken)
			if caller == "a bearer" {
				b.cookie, b.headers = "", []string{right}
			}
			for _, method := range []string{"GET", "POST"} {
				want := map[bool]int{true: 400, false: 403}[tt.ok] // 400 is the answer of the engine.
				if tt.followed && caller == "a cookie" && method == "GET" {
					want = 404
				}
				if got := b.send(method, "/user/nobody", "", tt.headers...); got.status != want {
					t.Errorf("%s with %s tracks by %s: %d, want %d: %s", tt.name, caller, method, got.status, want, got.body)
				}
			}
			if !tt.ok || (tt.followed && caller == "a cookie") {
				w.shows(b.send("GET", "/user/alice", "", tt.headers...), 200, 0, 2)
			}
			if got := b.send("GET", "/trackedusers", "", tt.headers...); got.status != 200 {
				t.Errorf("%s with %s reads: %d", tt.name, caller, got.status)
			}
			if got, ok := b.send("POST", "/logout", "", tt.headers...), tt.ok || caller == "a bearer"; (got.status == 204) != ok || (got.status == 403) == ok {
				t.Errorf("%s logs %s out: %d", tt.name, caller, got.status)
			}
		}
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Security-Policy", "of the page") })
	for public, hsts := range map[string]bool{"": false, "http://deals.example": false, "https://deals.example": true} {
		b := browser{t: t, handler: server.New(db, answering{errNobody}, server.Options{PublicURL: public, Page: page}).Handler()}
		for path, policy := range map[string]string{
			"/": "of the page", "/livez": "", "/trackedusers": "", "/user//x": "", "/login": "", "/user/a%2Fb": "",
		} {
			h := b.send("GET", path, "").header
			if policy == "" {
				policy = "default-src 'none'; frame-ancestors 'none'"
			}
			if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %v", path, h)
			}
			if got := h.Get("Strict-Transport-Security"); (got != "") != hsts {
				t.Errorf("public URL %q, %s: Strict-Transport-Security is %q", public, path, got)
			}
		}
	}
}
