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
		logins, err := format.Column(text)
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: %v, want the line", text, err)
		}
		if slices.ContainsFunc(logins, func(login string) bool { return strings.TrimSpace(login) != login || login == "" }) {
			t.Errorf("%q: %q", text, logins)
		}
	})
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
