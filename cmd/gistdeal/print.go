package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
)

// printing is the flag that all commands have which print data. The JSON names
// are kept stable; people's words may change.
type printing struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// print writes v as JSON or, for people, what the rows say.
func (p printing) print(v any, rows func(*table)) error {
	if p.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	t := newTable(os.Stdout)
	rows(t)
	t.end()
	return t.err
}

// table aligns rows of cells.
type table struct {
	w   *tabwriter.Writer
	err error
}

func newTable(w io.Writer) *table { return &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// row adds a row.
func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = plain(cell)
	}
	if _, err := io.WriteString(t.w, strings.Join(cells, "\t")+"\n"); t.err == nil {
		t.err = err
	}
}

// end ends the rows that are aligned with one another.
func (t *table) end() {
	if err := t.w.Flush(); t.err == nil {
		t.err = err
	}
}

// plain returns text without what a terminal would obey: texts come from
// outside too.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}

// shellQuote returns text as one word for a shell.
func shellQuote(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+:@", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
