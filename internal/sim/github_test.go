package sim_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gistdeal/internal/sim"
)

type gistView struct {
	ID          string              `json:"id"`
	Description *string             `json:"description"`
	Files       map[string]fileView `json:"files"`
	Public      bool                `json:"public"`
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	Owner       *struct {
		ID int64 `json:"id"`
	} `json:"owner"`
}

type fileView struct {
	Language *string `json:"language"`
	RawURL   string  `json:"raw_url"`
}

func gistIDs(gists []gistView) []string {
	ids := []string{}
	for _, g := range gists {
		ids = append(ids, g.ID)
	}
	return ids
}

// pages reads a list page by page, following the links.
func pages(t *testing.T, w *world, path string) (gists []gistView, links []string) {
	t.Helper()
	next := regexp.MustCompile(`<([^>]+)>; rel="next"`)
	for path != "" {
		g := w.get(path)
		want(t, g, http.StatusOK)
		gists = append(gists, decode[[]gistView](t, g)...)
		links = append(links, g.header.Get("Link"))
		path = ""
		if m := next.FindStringSubmatch(links[len(links)-1]); m != nil {
			path = m[1]
		}
	}
	return gists, links
}

func TestGistListsAreNewestFirstAndLinkedByNumericID(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1})
	w.MakeGists("Octocat", 250)
	id := strconv.FormatInt(w.AddUser(sim.User{Login: "octocat"}), 10)
	gists, links := pages(t, w, "/users/OCTOCAT/gists?per_page=100")
	if len(gists) != 250 || len(links) != 3 {
		t.Fatalf("%d gists on %d pages, want 250 on 3", len(gists), len(links))
	}
	if !slices.IsSortedFunc(gists, func(a, b gistView) int { return b.CreatedAt.Compare(a.CreatedAt) }) {
		t.Error("not sorted by created_at, newest first")
	}
	base := "<" + w.url + "/user/" + id + "/gists?"
	first := base + `page=2&per_page=100>; rel="next", ` + base + `page=3&per_page=100>; rel="last"`
	last := base + `page=2&per_page=100>; rel="prev", ` + base + `page=1&per_page=100>; rel="first"`
	if links[0] != first || links[2] != last {
		t.Errorf("links of the first page %s\nof the last %s", links[0], links[2])
	}
	if n := len(decode[[]gistView](t, w.get("/users/octocat/gists"))); n != 30 {
		t.Errorf("%d gists without per_page, want 30", n)
	}
	if n := len(decode[[]gistView](t, w.get("/users/octocat/gists?per_page=999"))); n != 100 {
		t.Errorf("%d gists with per_page=999, want 100", n)
	}
}

func TestGeneratedGistsAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	list := func(seed uint64) []gistView {
		w := start(t, sim.Options{Seed: seed, Now: newClock().now})
		w.MakeGists("octocat", 200)
		gists, _ := pages(t, w, "/users/octocat/gists?per_page=100")
		return gists
	}
	gists := list(7)
	if again := list(7); !slices.Equal(gistIDs(gists), gistIDs(again)) {
		t.Error("the same seed gave other gists")
	}
	if other := list(8); slices.Equal(gistIDs(gists), gistIDs(other)) {
		t.Error("another seed gave the same gists")
	}
	listed := map[string]int{}
	for _, g := range gists {
		count := func(property string, present bool) {
			if present {
				listed[property]++
			}
		}
		count("null", g.Description == nil)
		count("edited", g.UpdatedAt.After(g.CreatedAt))
		count("no files", len(g.Files) == 0)
		count("many files", len(g.Files) > 10)
		count("id of digits", regexp.MustCompile(`^\d{6,8}$`).MatchString(g.ID))
		count("id of 20", len(g.ID) == 20)
		count("id of 32", len(g.ID) == 32)
		if d := g.Description; d != nil {
			count("empty", *d == "")
			count("equal", *d == "test")
			count("emoji", strings.Contains(*d, "🦉"))
			count("newlines", strings.Contains(*d, "\n"))
			count("right to left", strings.Contains(*d, "مثال"))
			count("over 255", utf8.RuneCountInString(*d) > 255)
			count("over 1000", utf8.RuneCountInString(*d) > 1000)
		}
		for _, f := range g.Files {
			count("unknown language", f.Language == nil)
		}
	}
	for _, property := range []string{
		"null", "edited", "no files", "many files", "id of digits", "id of 20", "id of 32", "empty", "equal", "emoji",
		"newlines", "right to left", "over 255", "over 1000", "unknown language",
	} {
		if listed[property] == 0 {
			t.Errorf("no gist of 200 is: %s", property)
		}
	}
}

func TestA304IsFreeOnlyWithAToken(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1})
	w.MakeGists("octocat", 3)
	const path = "/users/octocat/gists"
	anonymous := w.get(path)
	if tag := anonymous.header.Get("ETag"); !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("ETag %s without a token, want a weak one", tag)
	}
	g := w.get(path, "If-None-Match", anonymous.header.Get("ETag"))
	want(t, g, http.StatusNotModified)
	wantHeader(t, g, "X-RateLimit-Limit", "60", "X-RateLimit-Used", "2", "X-RateLimit-Remaining", "58")

	known := w.get(path, "Authorization", "Bearer a")
	if tag := known.header.Get("ETag"); !strings.HasPrefix(tag, `"`) {
		t.Errorf("ETag %s with a token, want a strong one", tag)
	}
	g = w.get(path, "Authorization", "Bearer a", "If-None-Match", known.header.Get("ETag"))
	want(t, g, http.StatusNotModified)
	wantHeader(t, g, "X-RateLimit-Limit", "5000", "X-RateLimit-Used", "1", "X-RateLimit-Remaining", "4999", "X-RateLimit-Resource", "core")
	want(t, w.get(path, "Authorization", "Bearer b", "If-None-Match", known.header.Get("ETag")), http.StatusOK)
	want(t, w.get(path, "Authorization", "Bearer a", "Accept", "application/json", "If-None-Match", known.header.Get("ETag")), http.StatusOK)

	w.AddGist("octocat", sim.Gist{})
	want(t, w.get(path, "Authorization", "Bearer a", "If-None-Match", known.header.Get("ETag")), http.StatusOK)
}

func TestASpentHourlyQuotaRefusesRequestsUntilItsReset(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now, GitHubLimit: 2})
	w.AddUser(sim.User{Login: "octocat"})
	for range 2 {
		want(t, w.get("/users/octocat", "Authorization", "Bearer a"), http.StatusOK)
	}
	g := w.get("/users/octocat", "Authorization", "Bearer a")
	want(t, g, http.StatusForbidden, "API rate limit exceeded")
	wantHeader(t, g, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(c.now().Add(time.Hour).Unix(), 10))
	want(t, w.get("/rate_limit", "Authorization", "Bearer a"), http.StatusOK, `"remaining":0`)
	if n := w.Report().Limited; n != 1 {
		t.Errorf("%d requests limited, want 1", n)
	}
	c.advance(time.Hour)
	want(t, w.get("/users/octocat", "Authorization", "Bearer a"), http.StatusOK)
}

func TestGitHubRefusesUnknownRequests(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{GitHubToken: "right"})
	w.AddUser(sim.User{Login: "acme", Type: "Organization"})
	want(t, w.get("/users/nobody"), http.StatusNotFound, `"message":"Not Found"`, `"status":"404"`, "documentation_url")
	want(t, w.get("/users/nobody/gists"), http.StatusNotFound)
	want(t, w.get("/users/..%2Facme/gists"), http.StatusNotFound)
	want(t, w.get("/gists/0123"), http.StatusNotFound)
	want(t, w.get("/users/acme", "Authorization", "Bearer wrong"), http.StatusUnauthorized, "Bad credentials")
	want(t, w.get("/users/acme", "Authorization", "Bearer right"), http.StatusOK, `"type":"Organization"`)
	want(t, w.get("/users/acme", "X-GitHub-Api-Version", "2020-01-01"), http.StatusBadRequest)
	want(t, w.get("/users/acme", "User-Agent", ""), http.StatusForbidden, "User-Agent")
	want(t, w.get("/users/acme/gists?since=yesterday"), http.StatusUnprocessableEntity)
	if g := w.get("/users/acme/gists"); g.text != "[]" {
		t.Errorf("gists of an organization: %s", g.text)
	}
}

func TestAUserThatBecomesAnOrganizationKeepsItsIDAndListsNoGists(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.MakeGists("acme", 2)
	id := strconv.FormatInt(w.AddUser(sim.User{Login: "acme"}), 10)
	w.ConvertUser("acme")
	want(t, w.get("/user/"+id), http.StatusOK, `"type":"Organization"`, `"login":"acme"`)
	if g := w.get("/users/acme/gists"); g.text != "[]" {
		t.Errorf("gists of an organization: %s", g.text)
	}
}

func TestARenamedUserIsReachedByIDAndNewLoginOnly(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.MakeGists("before", 2)
	id := strconv.FormatInt(w.AddUser(sim.User{Login: "before"}), 10)
	w.RenameUser("Before", "after")
	want(t, w.get("/users/before"), http.StatusNotFound)
	want(t, w.get("/users/after"), http.StatusOK, `"id":`+id, `"public_gists":2`)
	want(t, w.get("/user/"+id+"/gists"), http.StatusOK, `"login":"after"`)
	w.SuspendUser("after", true)
	want(t, w.get("/users/after"), http.StatusNotFound)
	want(t, w.get("/user/"+id+"/gists"), http.StatusNotFound)
	if g := w.get("/gists/public"); g.text != "[]" {
		t.Errorf("gists of a suspended user in the feed: %s", g.text)
	}
	w.SuspendUser("after", false)
	want(t, w.get("/user/"+id+"/gists"), http.StatusOK, `"login":"after"`)
	w.DeleteUser("after")
	want(t, w.get("/user/"+id), http.StatusNotFound)
	if n := w.Report().Gists; n != 0 {
		t.Errorf("%d gists of a deleted user, want none", n)
	}
}

func TestSecretGistsAreListedForTheirAuthorOnly(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{TokenUser: "octocat"})
	open := w.AddGist("octocat", sim.Gist{NoOwner: true})
	secret := w.AddGist("octocat", sim.Gist{Secret: true})
	gists := decode[[]gistView](t, w.get("/users/octocat/gists"))
	if !slices.Equal(gistIDs(gists), []string{open}) || gists[0].Owner != nil {
		t.Errorf("without a token: %+v", gists)
	}
	gists = decode[[]gistView](t, w.get("/users/octocat/gists", "Authorization", "Bearer mine"))
	if !slices.Equal(gistIDs(gists), []string{secret, open}) || gists[0].Public {
		t.Errorf("with the author's token: %+v", gists)
	}
	if g := w.get("/gists/public", "Authorization", "Bearer mine"); strings.Contains(g.text, secret) {
		t.Error("a secret gist is in the public feed")
	}
	w.EditGist(secret, func(g *sim.Gist) { g.Secret = false })
	want(t, w.get("/gists/public"), http.StatusOK, secret)
}

func TestThePublicFeedHasTheNewest3000Gists(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{GitHubLimit: -1})
	w.MakeGists("a", 2_000)
	w.MakeGists("b", 1_100)
	id := w.AddGist("c", sim.Gist{})
	gists, _ := pages(t, w, "/gists/public?per_page=100")
	if len(gists) != 3_000 || gists[0].ID != id {
		t.Errorf("%d gists, the first is %s, want 3000 and %s", len(gists), gists[0].ID, id)
	}
	want(t, w.get("/gists/public?per_page=100&page=31"), http.StatusUnprocessableEntity)
}

func TestEditsAndDeletionsAreVisible(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now})
	created := c.now()
	id := w.AddGist("octocat", sim.Gist{NullDescription: true, Files: []sim.File{{Name: "a.go", Size: 7}}})
	want(t, w.get("/gists/"+id), http.StatusOK, `"description":null`, `"language":"Go"`, `"content":"# a.go\n"`)
	c.advance(time.Minute)
	w.EditGist(id, func(g *sim.Gist) { g.Description = "edited" })
	g := decode[gistView](t, w.get("/gists/"+id))
	if *g.Description != "edited" || !g.CreatedAt.Equal(created) || !g.UpdatedAt.Equal(c.now()) {
		t.Errorf("after the edit: %+v", g)
	}
	since := "?since=" + c.now().Format(time.RFC3339)
	want(t, w.get("/users/octocat/gists"+since), http.StatusOK, id)
	w.DeleteGist(id)
	want(t, w.get("/gists/"+id), http.StatusNotFound)
	if g := w.get("/users/octocat/gists"); g.text != "[]" {
		t.Errorf("after the deletion: %s", g.text)
	}
}

func TestAGistAloneHasTheContentOfItsFiles(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1})
	w.AddGist("octocat", sim.Gist{ID: "aa01", Files: []sim.File{
		{Name: "a.md", Text: "# A title\n\nand a text"}, {Name: "large.txt", Size: 1<<20 + 1}, {Name: "image.png", Text: "\x89PNG", Binary: true},
	}})
	var many []sim.File
	for i := range 301 {
		many = append(many, sim.File{Name: fmt.Sprintf("f%03d.txt", i), Text: "text"})
	}
	w.AddGist("octocat", sim.Gist{ID: "aa02", Files: many})
	type content struct {
		Truncated bool
		Files     map[string]struct {
			Size              int
			Content, Encoding string
			Truncated         bool
		}
	}
	g := decode[content](t, w.get("/gists/aa01"))
	if f := g.Files["a.md"]; f.Content != "# A title\n\nand a text" || f.Size != len(f.Content) || f.Truncated || f.Encoding != "utf-8" || g.Truncated {
		t.Errorf("%+v", f)
	}
	if f := g.Files["large.txt"]; len(f.Content) != 1<<20 || !f.Truncated || f.Size != 1<<20+1 {
		t.Errorf("%d of %d bytes, truncated: %v", len(f.Content), f.Size, f.Truncated)
	}
	if f := g.Files["image.png"]; f.Content != "iVBORw==" || f.Encoding != "base64" {
		t.Errorf("%+v", f)
	}
	if g := decode[content](t, w.get("/gists/aa02")); len(g.Files) != 300 || !g.Truncated {
		t.Errorf("%d files, truncated: %v", len(g.Files), g.Truncated)
	}
	w.EditGist("aa01", func(g *sim.Gist) { g.Files[0].Text = "other" })
	if f := decode[content](t, w.get("/gists/aa01")).Files["a.md"]; f.Content != "other" || f.Size != 5 {
		t.Errorf("after an edit: %+v", f)
	}
	if list := w.get("/users/octocat/gists"); strings.Contains(list.text, `"content"`) {
		t.Errorf("a list shows contents: %.300s", list.text)
	}
}
