package format_test

import (
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
