package pipedrive_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func TestTheDealMatchesItsDraft(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 201} {
		t.Run(fmt.Sprint("answered with ", status), func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{CreateStatus: status}, pipedrive.Options{})
			codes := w.prepare(t, nil)
			got := w.deal(t, w.mustCreate(t, hello))
			// The simulator's default for all users is 3.
			want := kept{Title: "Gist from octocat", StageID: 1, OwnerID: 101, VisibleTo: 3, Custom: map[string]string{
				codes[pipedrive.FieldAuthor]:    "https://gist.github.com/octocat",
				codes[pipedrive.FieldGist]:      "Hello World Examples",
				codes[pipedrive.FieldAccessURL]: "https://gist.github.com/octocat/aa5a315d61ae9438b18d",
				codes[pipedrive.FieldGistID]:    "aa5a315d61ae9438b18d",
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if n := w.requests(postDeal); n != 1 {
				t.Errorf("%d POSTs", n)
			}
		})
	}
}

func TestDescriptionsAreCutToTheSizeOfTheField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kind, description, want string
	}{
		{"exactly a varchar", "varchar", strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{"one too many", "varchar", strings.Repeat("x", 256), strings.Repeat("x", 254) + "…"},
		{"emoji count once", "varchar", strings.Repeat("🦉", 255), strings.Repeat("🦉", 255)},
		{"one emoji too many", "varchar", strings.Repeat("🦉", 256), strings.Repeat("🦉", 254) + "…"},
		{"varchar with suggestions", "varchar_auto", strings.Repeat("é", 300), strings.Repeat("é", 254) + "…"},
		{"too long a text", "text", strings.Repeat("🚀", 65_001), strings.Repeat("🚀", 64_999) + "…"},
		{"lines and markup stay", "text", "a\n\tb\r\n<script>&\"'\u2028", "a\n\tb\r\n<script>&\"'\u2028"},
		{"none", "text", "", "untitled - " + hello.GistID},
		{"only spaces", "text", " \t\n", "untitled - " + hello.GistID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{}, pipedrive.Options{})
			code := w.AddField(pipedrive.FieldGist, tt.kind)
			w.prepare(t, nil)
			d := hello
			d.Description = tt.description
			if got := w.deal(t, w.mustCreate(t, d)).Custom[code]; got != tt.want {
				t.Errorf("%d runes, %.80q..., want %d", utf8.RuneCountInString(got), got, utf8.RuneCountInString(tt.want))
			}
		})
	}
}

func TestADescriptionIsNoFormulaInASpreadsheet(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	code := w.AddField(pipedrive.FieldGist, "text")
	w.prepare(t, nil)
	for i, tt := range []struct{ description, want string }{
		{`=HYPERLINK("https://evil.example";"report")`, `'=HYPERLINK("https://evil.example";"report")`},
		{"+1", "'+1"},
		{"-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"},
		{"@SUM(1+1)", "'@SUM(1+1)"},
		{"\ttabbed", "'\ttabbed"},
		{"\r=1+1", "'\r=1+1"},
		{"  =1+1", "'  =1+1"}, // Pipedrive may trim it.
		{"\ufeff=1+1", "'\ufeff=1+1"},
		{"＝1+1", "'＝1+1"},
		{"a=b", "a=b"},
		{"'=1+1", "'=1+1"},
		{"# notes - @me", "# notes - @me"},
		{"  indented", "  indented"},
	} {
		d := hello
		d.GistID, d.Description = fmt.Sprintf("%020d", i), tt.description
		deal := w.deal(t, w.mustCreate(t, d))
		if got := deal.Custom[code]; got != tt.want {
			t.Errorf("%q is sent as %q, want %q", tt.description, got, tt.want)
		}
		if got := w.Report().ByGist[d.GistID]; len(got) != 1 {
			t.Errorf("the gist with the description %q has the deals %v, want one", tt.description, got)
		}
	}
}

func TestTitlesAreCutToAVarchar(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	got := w.deal(t, w.mustCreate(t, gistdeal.Draft{GistID: "1", Login: strings.Repeat("ü", 300)})).Title
	if want := "Gist from " + strings.Repeat("ü", 244) + "…"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestConcurrentDealsAreEachCreatedOnce(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	var pushes sync.WaitGroup
	for i := range 32 {
		pushes.Go(func() {
			if _, err := w.create(t, gistdeal.Draft{GistID: fmt.Sprint("gist", i), Login: "octocat"}); err != nil {
				t.Error(err)
			}
		})
	}
	pushes.Wait()
	if r := w.Report(); len(r.ByGist) != 32 || len(r.Duplicated) != 0 || r.Requests[postDeal] != 32 {
		t.Errorf("%d gists have deals, %d more than one, after %d POSTs", len(r.ByGist), len(r.Duplicated), r.Requests[postDeal])
	}
}

func TestNothingIsSentBeforePrepare(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	_, err := w.create(t, hello)
	wantKind(t, err, gistdeal.Temporary, "fields")
	w.AddFault(sim.Fault{Match: postField, Kind: "forbidden"})
	if _, err := w.client.Prepare(t.Context(), nil); err == nil {
		t.Error("Prepare succeeded")
	}
	_, err = w.create(t, hello)
	wantKind(t, err, gistdeal.Temporary, "fields")
	if n := w.requests(postDeal); n != 0 {
		t.Errorf("%d POSTs", n)
	}
}

func TestCutKeepsTextWithinTheLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"äöü", 3, "äöü"},
		{"äöüß", 3, "äö…"},
		{"🦉🦉🦉🦉", 3, "🦉🦉…"},
		{"ab", 1, "…"},
		{"a\x00b", 2, "ab"},
		{"a\x00b", 3, "ab"},
		{"\x00\x00\x00", 2, ""},
		{"a\xff\xfeb", 3, "a\uFFFDb"}, // one replacement for several bytes
		{"a\xffb\xff", 3, "a\uFFFD…"},
		{"🦉"[:3], 3, "\uFFFD"},
		{"e\u0301e\u0301", 4, "e\u0301e\u0301"}, // runes count, not visible characters
		{"a\uFFFEb", 3, "a\uFFFEb"},
	} {
		got := gistdeal.ShortText(tt.text, tt.limit)
		if got != tt.want || !utf8.ValidString(got) || utf8.RuneCountInString(got) > tt.limit {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}
