package format

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Escape returns text with the characters escaped that a terminal or an editor obeys
// instead of showing them: control characters, line and paragraph separators, and marks
// that change the direction of the text. It is for people: it leaves backslashes alone.
func Escape(text string) string {
	return escape(text, func(r rune) string { return strings.Trim(strconv.QuoteRuneToASCII(r), "'") })
}

// EscapeJSON returns JSON with the same characters escaped in its strings, and leaves the
// line breaks between them.
func EscapeJSON(text string) string {
	return escape(text, func(r rune) string {
		if r == '\n' {
			return "\n"
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

func escape(text string, escaped func(rune) string) string {
	if !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			b.WriteString(escaped(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func obeyed(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
