package format_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"gistdeal"
	"gistdeal/internal/format"
)

func FuzzAPastedListIsSplitIntoLogins(f *testing.F) {
	for _, text := range []string{
		"", "alice\nbob", "alice,bob;carol", "login,name\r\nalice,Alice\r\n", "\ufeffalice", "# nobody\nalice # a friend\n", "@alice https://github.com/bob/ http://gist.github.com/carol",
		"alice\x00bob", "\xff\xfe", "a\u2028b", "a\u00a0b", ",;,;", "\"alice\",\"bob\"", "a#b", "https://github.com/alice?tab=repositories#x", "github.com/..", strings.Repeat("a,", 1000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := format.Words(text)
		for _, word := range words {
			if word == "" || strings.ContainsAny(word, ",;\n\r") || strings.ContainsFunc(word, unicode.IsSpace) || strings.HasPrefix(word, "#") {
				t.Errorf("%q is one of the words of %q", word, text)
			}
			login, err := gistdeal.LoginFrom(word)
			if err == nil {
				err = gistdeal.CheckLogin(login)
			}
			if err != nil && gistdeal.KindOf(err) != gistdeal.Invalid {
				t.Errorf("%q: %v, want Invalid", word, err)
			}
		}
		// With the rest of the text behind it no word can be read as a mark.
		if again := format.Words("x\n" + strings.Join(words, "\n")); !slices.Equal(again[1:], words) {
			t.Errorf("%q is split into %q, and these into %q", text, words, again[1:])
		}
	})
}
