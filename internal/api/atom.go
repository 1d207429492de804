package api

import (
	"cmp"
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addFeedRoutes adds the feeds for feed readers.
func (a *API) addFeedRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/gists.atom", id: "follow-gists", scope: gistdeal.ScopeFeed,
		summary: "Get the last new gists as an Atom feed, without those that existed before their user was tracked", modifyRequest: answerAtom,
	}, a.gistFeed)
	add(a, route{
		method: http.MethodGet, path: "/deals.atom", id: "follow-deals", scope: gistdeal.ScopeFeed,
		summary: "Get the deals that were created last as an Atom feed", modifyRequest: answerAtom,
	}, a.dealFeed)
}

// The elements of RFC 4287 that a feed has. Texts of strangers are plain texts, which a
// reader shows as they are.
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated time.Time   `xml:"updated"`
		Author  atomPerson  `xml:"author"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomEntry struct {
		ID        string      `xml:"id"`
		Title     string      `xml:"title"`
		Updated   time.Time   `xml:"updated"`
		Published *time.Time  `xml:"published"`
		Author    *atomPerson `xml:"author"` // nil: that of the feed
		Links     []atomLink  `xml:"link"`
		Summary   string      `xml:"summary,omitempty"`
	}
	atomPerson struct {
		Name string `xml:"name"`
		URI  string `xml:"uri,omitempty"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	}
)

// feedInput selects the entries of a feed.
type feedInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The maximum number of entries."`
	// Token identifies the caller, and the security scheme describes it.
	Token string `query:"token" hidden:"true"`
}

func (a *API) gistFeed(ctx context.Context, in *feedInput) (*huma.StreamResponse, error) {
	gists, err := a.admin.LastGists(ctx, gistdeal.GistQuery{NoBackfill: true, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	entries := make([]atomEntry, len(gists))
	for i, g := range gists {
		entries[i] = entryOfGist(g)
	}
	return answerFeed("gists", "New gists", entries)
}

func entryOfGist(g admin.UserGist) atomEntry {
	files := make([]string, len(g.Files))
	for i, f := range g.Files {
		files[i] = f.Name
	}
	e := atomEntry{
		ID: tagURI("gist/", g.ID), Title: entryTitle(g.Login, g.Description, g.ID), Updated: g.NoticedAt, Author: authorOf(g.Login),
		Links: []atomLink{{"alternate", g.URL}}, Summary: strings.Join(files, ", "),
	}
	if !g.CreatedAt.IsZero() {
		e.Published = &g.CreatedAt
	}
	return e
}

func (a *API) dealFeed(ctx context.Context, in *feedInput) (*huma.StreamResponse, error) {
	s := admin.DealSelection{States: []string{string(gistdeal.DealCreated)}, Order: "-" + gistdeal.DealsByUpdated}
	deals, _, err := a.admin.Deals(ctx, s, gistdeal.DealPlace{}, in.Limit)
	if err != nil {
		return nil, err
	}
	entries := make([]atomEntry, len(deals))
	for i, d := range deals {
		entries[i] = entryOfDeal(d)
	}
	return answerFeed("deals", "Created deals", entries)
}

func entryOfDeal(d admin.Deal) atomEntry {
	e := atomEntry{
		ID: tagURI("deal/", d.GistID), Title: entryTitle(d.Login, d.Description, d.GistID), Updated: d.UpdatedAt, Author: authorOf(d.Login),
		Summary: "Deal " + strconv.FormatInt(d.DealID, 10),
	}
	if d.DealURL != "" {
		e.Links = append(e.Links, atomLink{"alternate", d.DealURL})
	}
	if d.Login != "" {
		e.Links = append(e.Links, atomLink{"related", gistdeal.GistURL(d.Login, d.GistID)})
	}
	if d.DealURL == "" { // An entry without content needs an alternate.
		e.Links = append(e.Links, atomLink{"alternate", Path + "/deals/" + url.PathEscape(d.GistID)})
	}
	return e
}

// tagURI returns an id that stays the same, at any address of gistdeal and after a restore.
func tagURI(kind, id string) string { return "tag:gistdeal,2026:" + kind + url.PathEscape(id) }

// entryTitle returns the description on one line, with the login.
func entryTitle(login, description, gistID string) string {
	title := cmp.Or(strings.Join(strings.Fields(description), " "), "gist "+gistID)
	if login != "" {
		title = login + ": " + title
	}
	return title
}

// authorOf returns the author of a gist; nil if it was never read.
func authorOf(login string) *atomPerson {
	if login == "" {
		return nil
	}
	return &atomPerson{Name: login, URI: "https://github.com/" + login}
}

// answerFeed answers with a feed. The name is that of its route.
func answerFeed(name, title string, entries []atomEntry) (*huma.StreamResponse, error) {
	f := atomFeed{
		ID: tagURI(name, ""), Title: title + " - gistdeal", Updated: time.UnixMilli(0).UTC(), Author: atomPerson{Name: "gistdeal"},
		Links: []atomLink{{"self", Path + "/" + name + ".atom"}, {"alternate", "/"}}, Entries: entries,
	}
	for _, e := range entries {
		if e.Updated.After(f.Updated) {
			f.Updated = e.Updated
		}
	}
	text, err := xml.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "application/atom+xml; charset=utf-8")
		_, _ = io.WriteString(c.BodyWriter(), xml.Header+string(text)+"\n") // An error means that the client has disconnected.
	}}, nil
}

// answerAtom makes the answer of an operation an Atom feed in the document.
func answerAtom(op *huma.Operation) {
	op.Security = append([]map[string][]string{{"url": {}}}, secured...)
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/atom+xml": {Schema: &huma.Schema{Type: "string"}}}}}
}
