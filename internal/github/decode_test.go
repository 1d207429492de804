package github

import (
	"reflect"
	"testing"
	"time"

	"gistdeal"
)

func TestTheNextLinkIsReadAmongOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		links []string
		want  string
		ok    bool
	}{
		{"no header", nil, "", false},
		{"empty header", []string{""}, "", false},
		{"GitHub's", []string{`<https://api.github.com/user/2/gists?page=2>; rel="next", <https://api.github.com/user/2/gists?page=10>; rel="last"`}, "https://api.github.com/user/2/gists?page=2", true},
		{"last page", []string{`<https://x/?page=9>; rel="prev", <https://x/?page=1>; rel="first"`}, "", false},
		{"last of several", []string{`</1>; rel="prev", </9>; rel="last",</3>;rel="next"`}, "/3", true},
		{"two headers", []string{`</1>; rel="first"`, `</2>; rel="next"`}, "/2", true},
		{"no quotes, upper case", []string{`</2>; REL=NEXT`}, "/2", true},
		{"two relations", []string{`</2>; rel="last next"`}, "/2", true},
		{"not quite next", []string{`</2>; rel="nextish"`}, "", false},
		{"no relation", []string{`</2>`}, "", false},
		{"separators in the target", []string{`</1,2;3>; rel="prev", </2,3;4>; rel="next"`}, "/2,3;4", true},
		{"separators in a title", []string{`</1>; title="a, <b>; rel=next"; rel="prev", </2>; title="x;y"; rel="next"`}, "/2", true},
		{"empty links", []string{`, ,</2>; rel="next",, `}, "/2", true},
	} {
		got, ok, err := findLink("next", c.links)
		if err != nil || got != c.want && ok || ok != c.ok {
			t.Errorf("%s: %q, %t, %v, want %q, %t", c.name, got, ok, err, c.want, c.ok)
		}
	}
}

func TestLinkHeaderThatCannotBeParsedIsAnError(t *testing.T) {
	t.Parallel()
	for _, link := range []string{`https://x/2; rel="next"`, `<https://x/2; rel="next"`, `</1>; rel="prev", /2; rel="next"`, `</2>; rel="next`, `</2>; rel`} {
		if got, ok, err := findLink("next", []string{link}); err == nil {
			t.Errorf("%s: %q, %t, want an error", link, got, ok)
		}
	}
}

func TestDecodePageAcceptsEveryValidGist(t *testing.T) {
	t.Parallel()
	file := gistdeal.File{Name: "a.txt", RawURL: "https://gist.githubusercontent.com/a.txt"}
	created := time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC)
	plain := gistdeal.Gist{ID: "aa11", OwnerID: 583231, Description: "a gist", Files: []gistdeal.File{file}, CreatedAt: created, UpdatedAt: created.Add(time.Second)}
	for _, c := range []struct {
		name  string
		edits []string
		want  func(*gistdeal.Gist) // nil if the gist is left out
	}{
		{"nothing special", nil, func(*gistdeal.Gist) {}},
		{"no description", []string{"description", "null"}, func(g *gistdeal.Gist) { g.Description = "" }},
		{"description absent", []string{"description", ""}, func(g *gistdeal.Gist) { g.Description = "" }},
		{"description of many lines and signs", []string{"description", `"a\nb \ud83d\ude00 <b>"`}, func(g *gistdeal.Gist) { g.Description = "a\nb 😀 <b>" }},
		{"no owner", []string{"owner", "null"}, func(g *gistdeal.Gist) { g.OwnerID = 0 }},
		{"owner absent", []string{"owner", ""}, func(g *gistdeal.Gist) { g.OwnerID = 0 }},
		{"no files", []string{"files", "{}"}, func(g *gistdeal.Gist) { g.Files = []gistdeal.File{} }},
		{"files null", []string{"files", "null"}, func(g *gistdeal.Gist) { g.Files = []gistdeal.File{} }},
		{"file null", []string{"files", `{"a.txt":null}`}, func(g *gistdeal.Gist) { g.Files = []gistdeal.File{{Name: "a.txt"}} }},
		{"files out of order", []string{"files", `{"b":{"raw_url":"2"},"a":{"raw_url":"1"},"B":{}}`}, func(g *gistdeal.Gist) {
			g.Files = []gistdeal.File{{Name: "B"}, {Name: "a", RawURL: "1"}, {Name: "b", RawURL: "2"}}
		}},
		{"facts of the files", []string{"files", `{"a.go":{"filename":"a.go","type":"text/x-go","language":"Go","raw_url":"1","size":7}}`}, func(g *gistdeal.Gist) {
			g.Files = []gistdeal.File{{Name: "a.go", RawURL: "1", Type: "text/x-go", Language: "Go", Size: 7}}
		}},
		{"comments", []string{"comments", "3"}, func(g *gistdeal.Gist) { g.Comments = new(3) }},
		{"no comments", []string{"comments", "0"}, func(g *gistdeal.Gist) { g.Comments = new(0) }},
		{"comments null", []string{"comments", "null"}, func(*gistdeal.Gist) {}},
		{"updated_at absent", []string{"updated_at", ""}, func(g *gistdeal.Gist) { g.UpdatedAt = created }},
		{"updated before it was created", []string{"updated_at", `"2026-11-23T10:20:29Z"`}, func(g *gistdeal.Gist) { g.UpdatedAt = created }},
		{"a time zone", []string{"created_at", `"2026-11-23T11:20:30+01:00"`}, func(*gistdeal.Gist) {}},
		{"secret", []string{"public", "false"}, nil},
	} {
		got, err := decodePage([]byte("[" + gist("aa11", c.edits...) + "]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := []gistdeal.Gist{}
		if c.want != nil {
			g := plain
			c.want(&g)
			want = append(want, g)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

func TestAnInvalidPageIsATemporaryError(t *testing.T) {
	t.Parallel()
	good := gist("a1")
	for name, body := range map[string]string{
		"empty":              "",
		"HTML":               "<!DOCTYPE html><title>Unicorn!</title>",
		"null":               "null",
		"an object":          `{"message":"moved"}`,
		"cut off":            "[" + good + "," + good[:20],
		"cut off at an item": "[" + good,
		"two answers":        "[" + good + "][]",
		"an item null":       "[" + good + ",null]",
		"an item a number":   "[1]",
		"an id empty":        "[" + gist("") + "]",
		"an id with a path":  "[" + gist("a/../b") + "]",
		"an id a number":     "[" + gist("a1", "id", "1") + "]",
		"public absent":      "[" + gist("a1", "public", "") + "]",
		"public null":        "[" + gist("a1", "public", "null") + "]",
		"no created_at":      "[" + gist("a1", "created_at", "") + "]",
		"created_at no time": "[" + gist("a1", "created_at", `"yesterday"`) + "]",
		"files a list":       "[" + gist("a1", "files", `["a"]`) + "]",
	} {
		c, _ := serve(t, "", reply(200, map[string]string{"ETag": `"e"`}, body))
		listing, err := listGists(t.Context(), c, "octocat", "", none(t))
		t.Run(name, func(t *testing.T) {
			wantKind(t, err, gistdeal.Temporary)
			wantText(t, err, `list gists of "octocat": page 1: unreadable answer from GitHub: `)
			if listing != (gistdeal.Listing{Requests: 1}) {
				t.Errorf("listing %+v", listing)
			}
		})
	}
}

func FuzzNextPageStaysOnTheBase(f *testing.F) {
	for _, seed := range []string{
		"", "<", "<>", `<>;rel=next`, `<https://api.github.com/user/2/gists?page=2>; rel="next"`,
		`<//evil.example/x>; rel=next`, `<@evil.example>; rel=next`, `<https://u:p@evil.example:1/%2e%2e/?a=b#c>;rel="next",`,
		`<mailto:a@b>; rel=next`, `</a>; rel="x, next"; x="`, `<\evil.example>; rel=next`, `<http:evil>; rel=next`,
	} {
		f.Add(seed)
	}
	c, err := New("https://ghe.example/api/v3", Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		next, err := c.nextPage("https://ghe.example/api/v3/users/octocat/gists?per_page=100", []string{link})
		if err != nil || next == "" {
			return
		}
		u, err := resolve(next, "")
		if err != nil || u.Scheme != "https" || u.Host != "ghe.example" || u.User != nil {
			t.Errorf("the link %q leads to %q (%v)", link, next, err)
		}
	})
}

func FuzzDecodePageReturnsWholeGistsOrAnError(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "[null]", "[{}]", "{", "[" + gist("a1") + "]", "[" + gist("a1") + "," + gist("b2", "files", `{"x":null}`) + "]",
		"[" + gist("a1", "owner", "null") + "]", "[" + gist("a1", "public", "false") + "]", `[{"ID":"a","Public":true,"created_at":"2026-11-23T10:20:30Z"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		gists, err := decodePage(body)
		if err != nil && gists != nil {
			t.Errorf("gists and an error for %q", body)
		}
		for _, g := range gists {
			if !gistID.MatchString(g.ID) || g.CreatedAt.IsZero() || g.Files == nil || g.UserID != 0 || g.Seq != 0 {
				t.Errorf("%+v from %q", g, body)
			}
		}
	})
}
