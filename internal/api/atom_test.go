package api_test

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
)

// The library that checks answers against the document reads Atom as a text.
func init() {
	openapi3filter.RegisterBodyDecoder("application/atom+xml", openapi3filter.RegisteredBodyDecoder("text/plain"))
}

func TestNewGistsAndCreatedDealsAreAtomFeeds(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(t, err)
	for _, path := range []string{"/gists.atom", "/deals.atom"} {
		if ids := w.feed(path).entries("id"); len(ids) != 0 {
			t.Errorf("%s has the entries %v before there are any", path, ids)
		}
	}
	hostile := "<b>&amp; ]]> \"'\x01\u202e\n\tnext line"
	noticed := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for i, g := range []gistdeal.Gist{{ID: "old"}, {ID: "a1", Description: hostile, Files: []gistdeal.File{{Name: "</entry>.go"}}}, {ID: "a2", CreatedAt: noticed}} {
		_, err = w.db.SaveGists(t.Context(), 1, []gistdeal.Gist{g}, gistdeal.NewGistPolicy{First: i == 0}, noticed.Add(time.Duration(i)*time.Minute))
		testenv.Must(t, err)
	}
	_, err = w.db.Adopt(t.Context(), map[string]int64{"old": 17, "a1": 18, "never read": 19}, nil, noticed.Add(time.Hour))
	testenv.Must(t, err)

	gists := w.feed("/gists.atom")
	if ids := gists.entries("id"); !slices.Equal(ids, []string{"tag:gistdeal,2026:gist/a2", "tag:gistdeal,2026:gist/a1"}) {
		t.Errorf("gists: %v, want both new ones, the last one first", ids)
	}
	if updated := gists.child("updated").Text; updated != "2026-11-29T12:02:00Z" {
		t.Errorf("the feed was updated at %s, want the time of the last gist", updated)
	}
	last := gists.all("entry")[1]
	if title := last.child("title").Text; !strings.HasPrefix(title, "alice: <b>&amp; ]]> \"'") || !strings.HasSuffix(title, " next line") || last.child("summary").Text != "</entry>.go" {
		t.Errorf("title %q, summary %q", title, last.child("summary").Text)
	}
	deals := w.feed("/deals.atom")
	ids := deals.entries("id")
	slices.Sort(ids)
	if want := []string{"tag:gistdeal,2026:deal/a1", "tag:gistdeal,2026:deal/never%20read", "tag:gistdeal,2026:deal/old"}; !slices.Equal(ids, want) {
		t.Errorf("deals: %v, want %v", ids, want)
	}
	if one := w.feed("/deals.atom?limit=1").entries("id"); len(one) != 1 {
		t.Errorf("%v, want one entry", one)
	}
}

func TestAFeedIsSentAgainOnlyAfterAChange(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, time.Now())
	testenv.Must(t, err)
	tag := w.send(http.MethodGet, "/gists.atom", "").header.Get("ETag")
	if again := w.send(http.MethodGet, "/gists.atom", "", "If-None-Match: "+tag); tag == "" || again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("ETag %q: status %d, %q", tag, again.status, again.body)
	}
	_, err = w.db.SaveGists(t.Context(), 1, []gistdeal.Gist{{ID: "a1"}}, gistdeal.NewGistPolicy{}, time.Now())
	testenv.Must(t, err)
	if changed := w.send(http.MethodGet, "/gists.atom", "", "If-None-Match: "+tag); changed.status != http.StatusOK {
		t.Errorf("status %d after a change", changed.status)
	}
}

// element is an element of a feed.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) all(name string) (list []element) {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			list = append(list, c)
		}
	}
	return list
}

// child returns the first child of that name, or an empty element.
func (e element) child(name string) element { return append(e.all(name), element{})[0] }

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// entries returns the texts of a child of each entry.
func (e element) entries(name string) (texts []string) {
	for _, entry := range e.all("entry") {
		texts = append(texts, entry.child(name).Text)
	}
	return texts
}

// feed returns a feed, which is valid by RFC 4287.
func (w *world) feed(path string) (feed element) {
	w.t.Helper()
	r := w.send(http.MethodGet, path, "")
	if kind := r.header.Get("Content-Type"); r.status != http.StatusOK || kind != "application/atom+xml; charset=utf-8" {
		w.t.Fatalf("%s: status %d, %s: %s", path, r.status, kind, r.body)
	}
	testenv.Must(w.t, xml.Unmarshal([]byte(r.body), &feed))
	if feed.XMLName.Local != "feed" {
		w.t.Errorf("%s: the root is %s", path, feed.XMLName.Local)
	}
	w.checkAtom(feed, len(feed.all("author")) == 1)
	ids := append(feed.entries("id"), feed.child("id").Text)
	slices.Sort(ids)
	if unique := slices.Compact(slices.Clone(ids)); len(unique) != len(ids) {
		w.t.Errorf("%s: ids are not unique: %v", path, ids)
	}
	return feed
}

// atomElements are the elements of RFC 4287 that a feed and an entry may have. The first
// three must be there once.
var atomElements = []string{"id", "title", "updated", "author", "link", "published", "summary", "entry"}

// checkAtom checks a feed or an entry by the sections 4.1.1 and 4.1.2 of RFC 4287.
func (w *world) checkAtom(e element, author bool) {
	w.t.Helper()
	for i, name := range atomElements {
		if n := len(e.all(name)); i < 3 && n != 1 || name == "author" && n == 0 && !author || n > 1 && slices.Contains([]string{"published", "summary"}, name) {
			w.t.Errorf("%s has %d elements %s", e.XMLName.Local, n, name)
		}
	}
	for _, c := range e.Children {
		if c.XMLName.Space != "http://www.w3.org/2005/Atom" || !slices.Contains(atomElements, c.XMLName.Local) {
			w.t.Errorf("%s has the element %v", e.XMLName.Local, c.XMLName)
		}
		if _, err := time.Parse(time.RFC3339, c.Text); err != nil && slices.Contains([]string{"updated", "published"}, c.XMLName.Local) {
			w.t.Errorf("%s is no time: %v", c.XMLName.Local, err)
		}
	}
	if id, err := url.Parse(e.child("id").Text); err != nil || !id.IsAbs() {
		w.t.Errorf("the id %q is no absolute URI: %v", e.child("id").Text, err)
	}
	w.checkLinks(e)
	for _, a := range e.all("author") {
		if a.child("name").Text == "" {
			w.t.Errorf("%s: the author has no name", e.XMLName.Local)
		}
	}
	for _, entry := range e.all("entry") {
		w.checkAtom(entry, author)
	}
}

// checkLinks checks that there is one alternate, which an entry without content must have,
// and that a feed names itself.
func (w *world) checkLinks(e element) {
	w.t.Helper()
	rels := map[string]int{}
	for _, link := range e.all("link") {
		rels[link.attr("rel")]++
		if to, err := url.Parse(link.attr("href")); err != nil || to.String() == "" {
			w.t.Errorf("%s: a link to %q: %v", e.XMLName.Local, link.attr("href"), err)
		}
	}
	if rels["alternate"] != 1 || e.XMLName.Local == "feed" && rels["self"] != 1 {
		w.t.Errorf("%s has the links %v", e.XMLName.Local, rels)
	}
}

func TestATokenInAURLOpensOnlyTheFeedsUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	for _, scope := range []gistdeal.Scope{gistdeal.ScopeRead, gistdeal.ScopeAdmin} {
		testenv.Must(t, w.db.SetToken(t.Context(), string(scope), gistdeal.HashToken(string(scope)), scope, time.Now()))
	}
	const asAdmin = "Authorization: Bearer admin"
	var first, second, other struct {
		Token string
		Feeds []string
	}
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"reader","scope":"feed"}`, asAdmin), http.StatusCreated, &first)
	w.read(w.send(http.MethodPost, "/tokens/reader/rotate", `{"overlap":"1h"}`, asAdmin), http.StatusOK, &second)
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"write"}`, asAdmin), http.StatusCreated, &other)
	if len(second.Feeds) != 2 || len(other.Feeds) > 0 {
		t.Fatalf("%+v and %+v, want the URLs of both feeds for the scope feed alone", second, other)
	}
	want := func(status int, path string, headers ...string) {
		t.Helper()
		r := w.send(http.MethodGet, strings.TrimPrefix(path, "/api/v1"), "", headers...)
		if r.status != status || strings.Contains(r.header.Get("Set-Cookie"), "gistdeal") {
			t.Errorf("%s answers %d, want %d, and that no log-in ends: %s", path, r.status, status, r.header)
		}
		if r.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: a browser may send the URL on", path)
		}
	}
	for _, feed := range slices.Concat(first.Feeds, second.Feeds) {
		want(http.StatusOK, feed+"&limit=3")
		want(http.StatusOK, feed, "Cookie: gistdeal=a log-in that has ended")
	}
	want(http.StatusOK, "/gists.atom", "Authorization: Bearer "+second.Token)
	for _, op := range w.operations() {
		if op.method == http.MethodGet && !strings.HasSuffix(op.path, ".atom") {
			r := w.send(http.MethodGet, op.path, "", "Authorization: Bearer "+second.Token)
			w.refused(r, http.StatusForbidden, "scope-too-small")
			w.refused(w.send(http.MethodGet, op.path+"?token="+second.Token, ""), http.StatusUnauthorized, "")
		}
	}
	want(http.StatusForbidden, "/openapi.json", "Authorization: Bearer "+second.Token)
	// Other tokens are no secrets of URLs: logs and browsers keep those.
	want(http.StatusUnauthorized, "/gists.atom?token=read")
	want(http.StatusUnauthorized, "/gists.atom?token=wrong", "Cookie: gistdeal=a log-in")
	want(http.StatusUnauthorized, "/gists.atom?token=")

	w.read(w.send(http.MethodDelete, "/tokens/reader", "", asAdmin), http.StatusOK, nil)
	for _, feed := range slices.Concat(first.Feeds, second.Feeds) {
		want(http.StatusUnauthorized, feed)
	}
}
