package gistdeal_test

import (
	"strings"
	"testing"

	"gistdeal"
)

func TestFirstLinesAreTheBeginningOfAText(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                                  "",
		"one line":                          "one line",
		"\uFEFF# Title\r\n\r\n  text\r\n":   "# Title\n\n  text",
		"\x89PNG\x00":                       "",
		"a\xffb":                            "a\uFFFDb",
		strings.Repeat("a\n", 50):           strings.Repeat("a\n", 19) + "a",
		strings.Repeat("ü", 600):            strings.Repeat("ü", 500),
		"a" + strings.Repeat("ü", 600):      "a" + strings.Repeat("ü", 499),
		strings.Repeat("a", 2_000) + "\x00": strings.Repeat("a", 1_000),
	} {
		if got := gistdeal.FirstLines(content); got != want {
			t.Errorf("of %.30q: %q, want %q", content, got, want)
		}
	}
}
