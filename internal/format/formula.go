package format

import (
	"strings"
	"unicode"
)

const formulaSigns = "=+-@＝＋－＠"

func invisible(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) }

// NoFormula returns a text with an apostrophe before it if a spreadsheet that opens an
// export of deals could run the text as a formula. Spreadsheets skip invisible characters
// before a formula, and Pipedrive may trim spaces.
func NoFormula(text string) string {
	visible := strings.TrimLeftFunc(text, invisible)
	if strings.IndexAny(visible, formulaSigns) == 0 || strings.IndexAny(text, "\t\r\n") == 0 {
		return "'" + text
	}
	return text
}

// noFormulaWithin returns a text with an apostrophe in each place where a spreadsheet that
// begins another cell at a semicolon, a tab or a line break could run the rest as a formula.
func noFormulaWithin(text string) string {
	var safe strings.Builder
	copied, cell := 0, -1 // cell is the begin of a cell with nothing visible yet, -1 within others
	for i, r := range text {
		switch {
		case strings.ContainsRune(";\t\r\n", r):
			cell = i + 1
		case cell < 0 || r == '"' || invisible(r):
		default:
			if strings.ContainsRune(formulaSigns, r) {
				safe.WriteString(text[copied:cell] + "'")
				copied = cell
			}
			cell = -1
		}
	}
	return safe.String() + text[copied:]
}
