package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/issuer"
)

func TestAPersonSignsInAtTheProviderAndOutHere(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	p := w.person()
	p.is("")
	answer := p.signIn()
	if answer.status != http.StatusSeeOther || answer.header.Get("Location") != "/#/users/alice" || answer.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", answer.status, answer.header, answer.body)
	}
	p.is("read")
	c := p.cookies["__Host-gistdeal"]
	if len(p.cookies) != 1 || c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 3600 {
		t.Errorf("cookies after the sign-in: %v", p.cookies)
	}
	if !strings.Contains(w.log.String(), `"signed in"`) || !strings.Contains(w.log.String(), "ann@example.com") {
		t.Errorf("the log says\n%s", w.log)
	}
	entries, err := w.db.AuditLog(t.Context(), gistdeal.AuditFilter{}, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Action != gistdeal.ActionLogIn || entries[0].Actor != "ann@example.com" || entries[0].Source != gistdeal.SourcePage || entries[0].Address != "192.0.2.7" {
		t.Errorf("the audit log has %+v, %v; want the log-in of ann", entries, err)
	}
	stolen := w.person()
	stolen.cookies["__Host-gistdeal"] = c
	stolen.is("read")
	sent(w.handler, "POST", "192.0.2.7:1", "/logout", "", "Cookie: "+c.Name+"="+c.Value)
	stolen.is("")
}

func TestTheCookieOfASignInIsShortLivedAndBoundToTheHost(t *testing.T) {
	t.Parallel()
	p := newSignedIn(t).person()
	p.begin("")
	c := p.cookies["__Host-gistdeal-signin"]
	if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 600 || c.Path != "/" || c.Domain != "" {
		t.Errorf("%+v", c)
	}
}

func TestNobodySignsInWithTheAnswerToAnotherSignIn(t *testing.T) {
	t.Parallel()
	change := func(path, name, value string) string {
		u, _ := url.Parse(path)
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for name, attack := range map[string]struct {
		do   func(p *person) reply
		want int
	}{
		"another browser": {func(p *person) reply { return p.w.person().get(p.begin("")) }, 400},
		"another browser that began a sign-in too": {func(p *person) reply {
			other := p.w.person()
			other.begin("")
			return other.get(p.begin(""))
		}, 400},
		"a wrong state": {func(p *person) reply { return p.get(change(p.begin(""), "state", "x")) }, 400},
		"no state":      {func(p *person) reply { return p.get(change(p.begin(""), "state", "")) }, 400},
		"the code of another sign-in": {func(p *person) reply {
			stolen, _ := url.Parse(p.w.person().begin(""))
			return p.get(change(p.begin(""), "code", stolen.Query().Get("code")))
		}, 400},
		"no code": {func(p *person) reply { return p.get(change(p.begin(""), "code", "")) }, 400},
		"a replayed answer": {func(p *person) reply {
			path := p.begin("")
			p.get(path)
			delete(p.cookies, "__Host-gistdeal")
			return p.get(path)
		}, 400},
		"a replayed answer with its cookie": {func(p *person) reply {
			path := p.begin("")
			c := p.cookies["__Host-gistdeal-signin"]
			p.get(path)
			p.cookies = map[string]*http.Cookie{c.Name: c}
			return p.get(path)
		}, 400},
		"an answer of another provider": {func(p *person) reply { return p.get(change(p.begin(""), "iss", "https://evil.example")) }, 400},
		"a person who declined":         {func(p *person) reply { return p.get(change(p.begin(""), "error", "access_denied<script>")) }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newSignedIn(t).person()
			got := attack.do(p)
			problem(t, got, attack.want)
			if strings.Contains(got.body, "script") {
				t.Errorf("the answer repeats the request: %s", got.body)
			}
			p.is("")
		})
	}
}

func TestAForgedIDTokenSignsNobodyIn(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(header, claims map[string]any){
		"another nonce":     func(_, c map[string]any) { c["nonce"] = "x" },
		"no nonce":          func(_, c map[string]any) { delete(c, "nonce") },
		"another audience":  func(_, c map[string]any) { c["aud"] = "another" },
		"another client":    func(_, c map[string]any) { c["azp"] = "another" },
		"several audiences": func(_, c map[string]any) { c["aud"] = []string{issuer.ClientID, "another"} },
		"another issuer":    func(_, c map[string]any) { c["iss"] = "https://evil.example" },
		"expired":           func(_, c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
		"not valid yet":     func(_, c map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() },
		"nobody":            func(_, c map[string]any) { delete(c, "sub") },
		"not signed":        func(h, _ map[string]any) { h["alg"] = "none" },
		"signed by another": func(h, _ map[string]any) { h["kid"] = "stolen" },
		"a shared key":      func(h, _ map[string]any) { h["alg"] = "HS256" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSignedIn(t)
			w.issuer.Forge = forge
			p := w.person()
			problem(t, p.signIn(), 400)
			p.is("")
			if len(p.cookies) != 0 {
				t.Errorf("cookies remain: %v", p.cookies)
			}
		})
	}
}

func TestTheScopeOfAPersonIsThatOfTheGroups(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		claims, info map[string]any
		want         gistdeal.Scope
	}{
		"a group":                      {map[string]any{"groups": []string{"x", "sales"}}, nil, "read"},
		"the largest scope":            {map[string]any{"groups": []string{"sales", "admins", "editors"}}, nil, "admin"},
		"one group as a text":          {map[string]any{"groups": "editors"}, nil, "write"},
		"no group that counts":         {map[string]any{"groups": []string{"Sales", "sales "}}, nil, ""},
		"no groups":                    {map[string]any{"groups": []string{}}, nil, ""},
		"groups of another form":       {map[string]any{"groups": map[string]any{"admins": true}}, nil, ""},
		"a verified address":           {map[string]any{"groups": nil, "email": "Ed@example.com", "email_verified": true}, map[string]any{"sub": "ann-1"}, "write"},
		"an address that is a text":    {map[string]any{"groups": nil, "email": "ed@example.com", "email_verified": "true"}, map[string]any{"sub": "ann-1"}, "write"},
		"an address not verified":      {map[string]any{"groups": nil, "email": "ed@example.com", "email_verified": false}, map[string]any{"sub": "ann-1"}, ""},
		"an address as a group":        {map[string]any{"groups": []string{"email:ed@example.com"}, "email": "x@example.com"}, nil, ""},
		"groups of the second answer":  {map[string]any{"groups": nil}, map[string]any{"sub": "ann-1", "groups": []string{"admins"}}, "admin"},
		"groups of the signed answer":  {map[string]any{"groups": []string{"sales"}}, map[string]any{"sub": "ann-1", "groups": []string{"admins"}}, "read"},
		"two addresses":                {map[string]any{"groups": nil, "email": "ed@example.com", "email_verified": nil}, map[string]any{"sub": "ann-1", "email": "ann@example.com", "email_verified": true}, ""},
		"an answer of another person":  {map[string]any{"groups": nil}, map[string]any{"sub": "eve", "groups": []string{"admins"}}, ""},
		"a provider that says nothing": {map[string]any{"groups": nil}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSignedIn(t)
			for claim, value := range tt.claims {
				if w.issuer.Claims[claim] = value; value == nil {
					delete(w.issuer.Claims, claim)
				}
			}
			w.issuer.UserInfo = tt.info
			p := w.person()
			answer := p.signIn()
			p.is(tt.want)
			if tt.want == "" {
				if answer.status < 400 {
					t.Errorf("%d %s", answer.status, answer.body)
				}
				return
			}
			session, err := w.db.Session(t.Context(), gistdeal.HashToken(p.cookies["__Host-gistdeal"].Value), time.Now())
			if err != nil || session.Person.Scope != tt.want {
				t.Errorf("%+v, %v; want the scope %s", session, err, tt.want)
			}
		})
	}
}

func TestAPersonWithoutAGroupGetsAPageThatSaysSoAndLosesAccess(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	before, now := w.person(), w.person()
	before.signIn()
	before.is("read")
	w.issuer.Claims["groups"] = []string{"former"}
	got := now.get(now.begin(""), "Sec-Fetch-Mode: navigate")
	if got.status != 403 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || !strings.Contains(got.body, "has no group that may use gistdeal") {
		t.Errorf("%d %s", got.status, got.body)
	}
	now.is("")
	before.is("")
	entries, err := w.db.AuditLog(t.Context(), gistdeal.AuditFilter{Actions: []gistdeal.Action{gistdeal.ActionLogInFailed}}, 0, 10)
	if err != nil || len(entries) == 0 || !slices.ContainsFunc(entries, func(e gistdeal.AuditEntry) bool {
		return strings.HasPrefix(e.Reason, "ann@example.com: your account has no group")
	}) {
		t.Errorf("the audit log has %+v, %v; want the failed log-in", entries, err)
	}
}

func TestASignInLeadsToThisSiteOnly(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	for next, want := range map[string]string{
		"/#/users/alice": "/#/users/alice", "/#/users?state=paused": "/#/users?state=paused", "": "/", "/": "/", "/api/v1/me": "/", "#x": "/",
		"https://evil.example/#/users": "/#/users", "//evil.example": "/", "//evil.example/#/": "/#/", `/\evil.example`: "/", `\\evil.example#/x`: "/#/x", "javascript:alert(1)#/": "/#/",
		"/#//evil.example": "/#/evil.example", "/#/\r\nSet-Cookie: x": "/#/%0D%0ASet-Cookie:%20x", "/#/%0d%0aX: y": "/#/%0D%0AX:%20y", "%": "/", "/#/" + strings.Repeat("x", 500): "/",
	} {
		p := w.person()
		got := p.get(p.begin(next))
		if location := got.header.Get("Location"); got.status != 303 || location != want || strings.HasPrefix(location, "//") {
			t.Errorf("%q leads to %d %q, want %q", next, got.status, location, want)
		}
	}
}

func TestAProviderThatIsDownStopsNothingButItsSignIns(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	token(t, w.db)
	w.issuer.Change(func(i *issuer.Issuer) { i.Down = true })
	p := w.person()
	got := p.get("/login/oidc", "Sec-Fetch-Mode: navigate")
	if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "try again later, or sign in with a token") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := p.get("/trackedusers", right); got.status != 200 {
		t.Errorf("with a token: %d", got.status)
	}
	w.issuer.Change(func(i *issuer.Issuer) { i.Down = false })
	p.handler = w.server(issuer.ClientSecret) // The next try of the first one is five seconds later.
	p.signIn()
	p.is("read")
}

func TestAPublicClientSignsInWithoutASecret(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	w.issuer.Public, w.issuer.Scopes = true, []string{"openid", "groups"}
	p := w.person()
	p.handler = w.server("")
	p.signIn()
	p.is("read")
	if scope := w.issuer.Asked.Get("scope"); scope != "openid profile email groups" {
		t.Errorf("requested %q, want the listed scope of the groups too", scope)
	}
}

func TestSessionsOfAProviderEndWithItsConfiguration(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	p := w.person()
	p.signIn()
	p.is("read")
	p.handler = server.New(w.db, answering{errNobody}, server.Options{Auth: server.AuthToken, PublicURL: "https://gistdeal.example"}).Handler()
	p.is("")
	problem(t, p.get("/login/oidc"), 404)
	problem(t, p.get("/login/oidc/callback?code=x&state=y"), 404)
	if got := p.get("/login/options"); got.body != "{}\n" {
		t.Errorf("the page is told %s", got.body)
	}
}

func TestManyRefusedSignInsAreAnsweredWith429AndLockNobodyOut(t *testing.T) {
	t.Parallel()
	w := newSignedIn(t)
	p := w.person()
	for range 10 {
		problem(t, p.get("/login/oidc/callback?code=x&state=y"), 400)
	}
	problem(t, p.get("/login/oidc/callback?code=x&state=y"), 429)
	if n := strings.Count(w.log.String(), "sign-in refused"); n != 10 {
		t.Errorf("%d events, want 10", n)
	}
	p.signIn()
	p.is("read")
}
