package format

import (
	"strings"
	"unicode"
)

// NoFormula returns a text with an apostrophe before it if a spreadsheet that opens an
// export of deals could run the text as a formula. Spreadsheets skip invisible characters
// before a formula, and Pipedrive may trim spaces.
func NoFormula(text string) string {
	visible := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) })
	if strings.IndexAny(visible, "=+-@＝＋－＠") == 0 || strings.IndexAny(text, "\t\r\n") == 0 {
		return "'" + text
	}
	return text
}
