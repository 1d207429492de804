package format

import (
	"strings"
	"unicode"
)

// Words returns the words of a text, separated by blanks, commas or lines; the
// rest of a line from a word that begins with # is a comment.
func Words(text string) []string {
	var all []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }) {
			if strings.HasPrefix(word, "#") {
				break
			}
			all = append(all, word)
		}
	}
	return all
}
