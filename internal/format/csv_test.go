package format_test

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"gistdeal/internal/format"
)

func FuzzAColumnOfLoginsHasNoEmptyCell(f *testing.F) {
	for _, text := range []string{"", "login\nalice\n", "a;login\r\n\"x;y\";bob", "\ufefflogin\talias\nalice\tx\n", "alice", "a,b", "\"login\"\n\"a\"\"b\"", "login\n\n\nx", "\"", "login,\n,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		logins, tags, err := format.Column(text)
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: %v, want the line", text, err)
		}
		if slices.ContainsFunc(logins, func(login string) bool { return strings.TrimSpace(login) != login || login == "" }) {
			t.Errorf("%q: %q", text, logins)
		}
		for login := range tags {
			if !slices.Contains(logins, login) {
				t.Errorf("%q: tags of %q, who is not among %q", text, login, logins)
			}
		}
	})
}

func TestAColumnOfTagsBelongsToTheLogins(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"login,tags\nalice,vip emea\nbob,\ncarol\n":         "alice=vip emea bob= carol=",
		"Company;Tags;GitHub\nACME;\"vip;emea, new\";alice": "alice=vip emea new",
		"tags\tlogin\nvip\talice\nnew\talice":               "alice=vip new alice=vip new",
		"login,label\nalice,vip":                            "alice=",
		"login\nalice":                                      "alice=",
	} {
		logins, tags, err := format.Column(text)
		got := []string{}
		for _, login := range logins {
			got = append(got, login+"="+strings.Join(tags[login], " "))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestALoginAtTheTopOfAListIsNoHeading(t *testing.T) {
	t.Parallel()
	for first, heading := range map[string]bool{
		"user": false, "GitHub": false, "url": false, "link": false, "profile": false, "github-user": false,
		"login": true, "Username": true, "github login": true, "GitHub_URL": true,
	} {
		logins, _, err := format.Column(first + "\nalice\n")
		if err != nil || slices.Equal(logins, []string{"alice"}) != heading || logins[len(logins)-1] != "alice" {
			t.Errorf("%q above alice: %q, %v; is a heading: %v", first, logins, err, heading)
		}
	}
}

// Spreadsheets of many countries split the lines of a CSV file at semicolons.
func TestNoPartOfACellIsAFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"x;=cmd|'/C calc'!A0;y": "x;'=cmd|'/C calc'!A0;y",
		"x; \u200b\"@SUM(1)":    "x;' \u200b\"@SUM(1)",
		"x;;-1\t+2\n＝3":         "x;;'-1\t'+2\n'＝3",
		"=1;=2":                 "'=1;'=2",
		"a; b = c; d-e; 5":      "a; b = c; d-e; 5",
		"end;":                  "end;",
	} {
		var out strings.Builder
		w := format.NewCSV(&out)
		if err := errors.Join(w.Row(text), w.Flush()); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(strings.NewReader(out.String()))
		r.LazyQuotes = true
		if row, err := r.Read(); err != nil || row[0] != want {
			t.Errorf("%q: %q, %v, want %q", text, row, err, want)
		}
	}
}
