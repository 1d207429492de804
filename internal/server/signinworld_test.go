package server_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/signin"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/issuer"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// signedIn is a server at https://gistdeal.example with a provider.
type signedIn struct {
	t       *testing.T
	db      *store.Store
	issuer  *issuer.Issuer
	handler http.Handler
	log     *testenv.Log
}

func newSignedIn(t *testing.T) *signedIn {
	t.Helper()
	w := &signedIn{t: t, db: stack.Open(t), issuer: issuer.Start(t), log: &testenv.Log{}}
	w.handler = w.server(issuer.ClientSecret)
	return w
}

// server returns another server over the same database.
func (w *signedIn) server(secret string) http.Handler {
	return server.New(w.db, answering{errNobody}, server.Options{
		Auth: server.AuthToken, PublicURL: "https://gistdeal.example", SignInAge: time.Hour, Log: w.log.Logger(),
		SignIn: signin.New(signin.Options{
			Issuer: w.issuer.URL, ClientID: issuer.ClientID, ClientSecret: secret, RedirectURL: "https://gistdeal.example/login/oidc/callback", GroupsClaim: "groups",
			Grants: signin.Grants{"read": {"sales"}, "write": {"editors", "email:ed@example.com"}, "admin": {"admins"}},
		}),
	}).Handler()
}

// person is a browser with all its cookies, unlike browser.
type person struct {
	w       *signedIn
	handler http.Handler
	cookies map[string]*http.Cookie
}

func (w *signedIn) person() *person {
	return &person{w: w, handler: w.handler, cookies: map[string]*http.Cookie{}}
}

func (p *person) get(path string, headers ...string) reply {
	for _, c := range p.cookies {
		headers = append(headers, "Cookie: "+c.Name+"="+c.Value)
	}
	answer := from(p.handler, "192.0.2.7:1", path, headers...)
	for _, c := range (&http.Response{Header: answer.header}).Cookies() {
		p.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(p.cookies, c.Name)
		}
	}
	return answer
}

// begin begins a sign-in and returns the address that the provider sends the browser to.
func (p *person) begin(next string) string {
	p.w.t.Helper()
	answer := p.get("/login/oidc?" + url.Values{"next": {next}}.Encode())
	if answer.status != http.StatusSeeOther {
		p.w.t.Fatalf("the sign-in begins with %d %s", answer.status, answer.body)
	}
	return p.w.issuer.Approve(answer.header.Get("Location")).RequestURI()
}

// signIn signs in and returns the last answer.
func (p *person) signIn() reply {
	p.w.t.Helper()
	return p.get(p.begin("/#/users/alice"))
}

// is checks the access of the person; scope "" means none.
func (p *person) is(scope gistdeal.Scope) {
	p.w.t.Helper()
	want := 200
	if scope == "" {
		want = 401
	}
	if got := p.get("/trackedusers"); got.status != want {
		p.w.t.Errorf("access is answered with %d, want %d: %s", got.status, want, got.body)
	}
}
