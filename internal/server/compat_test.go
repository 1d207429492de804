package server_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestEachGistIsNewToEachVisitorOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{Auth: server.AuthNone, PublicURL: "http://gistdeal.example"})
	token(t, w.store)
	w.sim.AddUser(sim.User{Login: "Alice"})
	w.sim.MakeGists("Alice", 3)
	const anonymous, ci = "Host: gistdeal.example", "Authorization: Bearer " + ciToken

	w.shows(w.ask("GET", "/user/alice", anonymous), 200, 0, 3)
	w.shows(w.ask("GET", "/user/alice", anonymous), 200, 3, 0)
	w.shows(w.ask("GET", "/user/alice", ci), 200, 0, 3)
	w.shows(w.ask("GET", "/user/ALICE", ci), 200, 3, 0)
	u, err := w.store.UserByLogin(t.Context(), "alice")
	testenv.Must(t, err)
	_, err = w.store.SaveGists(t.Context(), u.ID, []gistdeal.Gist{{ID: "later"}}, gistdeal.NewGistPolicy{}, time.Now())
	testenv.Must(t, err)
	for _, visitor := range []string{anonymous, ci} {
		l := w.shows(w.ask("GET", "/user/alice", visitor), 200, 3, 1)
		if l.New[0].ID != "later" || l.New[0].Files == nil {
			t.Errorf("the new gist is %+v, want the later one with a list of files", l.New[0])
		}
		w.shows(w.ask("GET", "/user/alice", visitor), 200, 4, 0)
	}
}

func TestAGistIsShownWithItsDeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	w.sim.AddUser(sim.User{Login: "Alice", Gists: []sim.Gist{{
		ID: "abc1", Description: "<b>notes</b>", CreatedAt: created, Files: []sim.File{{Name: "a.go", Size: 10}, {Name: "b.md", Size: 10}},
	}}})
	w.shows(w.ask("GET", "/user/alice"), 200, 0, 1)
	var g gist
	testenv.Eventually(t, "the deal is created", func() bool {
		g = w.shows(w.ask("GET", "/user/alice"), 200, 1, 0).Old[0]
		return g.Deal.State == string(gistdeal.DealCreated)
	})
	if g.ID != "abc1" || g.Username != "Alice" || g.Description != "<b>notes</b>" || !g.CreatedAt.Equal(created) {
		t.Errorf("the gist is %+v", g)
	}
	if g.URL != "https://gist.github.com/Alice/abc1" || len(g.Files) != 2 || !strings.HasSuffix(g.Files[0], "/a.go") {
		t.Errorf("the gist has the URL %s and the files %v", g.URL, g.Files)
	}
	if g.Deal.ID == 0 || !strings.HasSuffix(g.Deal.URL, "/deal/"+strconv.FormatInt(g.Deal.ID, 10)) {
		t.Errorf("the deal is %+v, want an id and a URL", g.Deal)
	}
}

func TestPostAnswersLikeGet(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	w.shows(w.ask("POST", "/user/alice"), 200, 0, 2)
	w.shows(w.send(w.request(t.Context(), "POST", "/user/alice", strings.NewReader("name=alice"))), 200, 2, 0)
	w.shows(w.ask("GET", "/user/alice"), 200, 2, 0)
}

// quiet requests show no gists, or were not sent by a person.
var quiet = []struct{ name, method, path, header string }{
	{"peek", "GET", "?peek=true", "Accept: */*"},
	{"peek by POST", "POST", "?peek=1", "Accept: */*"},
	{"HEAD", "HEAD", "", "Accept: */*"},
	{"prefetch", "GET", "", "Sec-Purpose: prefetch"},
	{"prerender", "GET", "", "Sec-Purpose: prefetch;prerender"},
	{"anonymous prefetch", "GET", "", "Sec-Purpose: prefetch;anonymous-client-ip"},
	{"old prefetch", "GET", "", "Purpose: prefetch"},
	{"Firefox's prefetch", "GET", "", "X-Moz: prefetch"},
	{"preview", "GET", "", "X-Purpose: preview"},
	{"cross-site", "GET", "", "Sec-Fetch-Site: cross-site"},
}

func TestRequestsThatShowNoGistsRecordNoVisit(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	for _, tt := range quiet {
		r := w.ask(tt.method, "/user/alice"+tt.path, tt.header)
		if tt.method == "HEAD" {
			if r.status != 200 || r.body != "" {
				t.Errorf("HEAD: %d with body %q", r.status, r.body)
			}
			continue
		}
		w.shows(r, 200, 0, 2)
	}
	w.shows(w.ask("GET", "/user/alice?peek=false"), 200, 0, 2)
	w.shows(w.ask("GET", "/user/alice?peek=true"), 200, 2, 0)
}

func TestRequestsThatShowNoGistsTrackNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	w.sim.MakeGists("alice", 1)
	for _, tt := range quiet {
		want := http.StatusNotFound
		if tt.name == "cross-site" {
			want = http.StatusForbidden
		}
		r := w.ask(tt.method, "/user/alice"+tt.path, tt.header)
		if tt.method == "HEAD" && r.status == want {
			continue
		}
		problem(t, r, want)
	}
	if got := w.ask("GET", "/trackedusers").body; got != "[]\n" {
		t.Errorf("tracked users are %q, want an empty list", got)
	}
	if got := w.sim.Report().Requests["GET /users/{login}"]; got != 0 {
		t.Errorf("GitHub got %d requests", got)
	}
}

func TestCrossSiteTrackingIsRefusedInEveryMode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options server.Options
		header  string
	}{
		"this machine":  {server.Options{}, "Host: localhost"},
		"a token":       {server.Options{Auth: server.AuthToken}, right},
		"no restraints": {server.Options{Auth: server.AuthNone, PublicURL: "http://gistdeal.example"}, "Host: gistdeal.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.options)
			w.sim.MakeGists("alice", 1)
			if tt.header == right {
				token(t, w.store)
			}
			for _, method := range []string{"GET", "POST"} {
				problem(t, w.ask(method, "/user/alice", "Sec-Fetch-Site: cross-site", tt.header), 403)
			}
			for _, site := range []string{"same-origin", "same-site", "none"} {
				if r := w.ask("GET", "/user/alice", "Sec-Fetch-Site: "+site, tt.header); r.status != 200 {
					t.Errorf("Sec-Fetch-Site %s: %d, want 200", site, r.status)
				}
			}
		})
	}
}

func TestAnInvalidLoginGets400WithoutARequestToGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	for _, login := range []string{
		"", "..%2Fgists%3F", "a..b", strings.Repeat("a", 200), "a%00", "%00", "%2e%2e", "%2E", "a%2Fb", "a%20b", "-a", "%F0%9F%90%99", "a%0d%0ab",
	} {
		p := problem(t, w.ask("GET", "/user/"+login), 400)
		if len(p.Detail) > 400 {
			t.Errorf("detail of %d letters: %s", len(p.Detail), p.Detail)
		}
	}
	if got := w.sim.Report().Requests; len(got) > 0 && got["GET /users/{login}"] > 0 {
		t.Errorf("requests to GitHub: %v", got)
	}
}

func TestAnUnknownLoginGets404(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	w.sim.AddUser(sim.User{Login: "acme", Type: "Organization"})
	problem(t, w.ask("GET", "/user/nobody"), 404)
	problem(t, w.ask("GET", "/user/acme"), 400)
	if got := w.ask("GET", "/trackedusers").body; got != "[]\n" {
		t.Errorf("tracked users are %q, want an empty list", got)
	}
}

func TestTrackedUsersAreAListOfLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	w.sim.AddUser(sim.User{Login: "Alice"})
	w.sim.AddUser(sim.User{Login: "bob"})
	for _, login := range []string{"alice", "BOB", "aLICE"} {
		w.shows(w.ask("GET", "/user/"+login), 200, 0, 0)
	}
	r := w.ask("GET", "/trackedusers")
	var logins []string
	testenv.Must(t, json.Unmarshal([]byte(r.body), &logins))
	if strings.Join(logins, " ") != "Alice bob" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %q of type %s, want Alice and bob", r.body, r.header.Get("Content-Type"))
	}
	if head := w.ask("HEAD", "/trackedusers"); head.status != 200 || head.body != "" {
		t.Errorf("HEAD: %d with %q", head.status, head.body)
	}
}

func TestAnInvalidPeekTracksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Options{})
	for _, peek := range []string{"yes", "", "2"} {
		if r := w.ask("GET", "/user/octocat?peek="+peek); r.status != http.StatusBadRequest {
			t.Errorf("peek=%s: %d", peek, r.status)
		}
	}
}
