package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"gistdeal/internal/format"
)

// printing is the flag of all commands that print data. JSON names are stable; the
// texts for people may change.
type printing struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// print writes v as JSON or, for people, the rows.
func (p printing) print(v any, rows func(*table)) error {
	if p.JSON {
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		_, err := io.WriteString(os.Stdout, format.EscapeJSON(text.String()))
		return err
	}
	return show(os.Stdout, rows)
}

// show writes rows for people.
func show(w io.Writer, rows func(*table)) error {
	t := &table{w: w}
	rows(t)
	t.end()
	return t.err
}

// table aligns rows of cells. (text/tabwriter would pad the last ones too, and
// align anew after each row that is short.)
type table struct {
	w    io.Writer
	rows [][]string
	err  error
}

// row adds a row. Some texts come from outside, so it escapes them.
func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = format.Escape(cell)
	}
	t.rows = append(t.rows, cells)
}

// end writes the rows so far: they are aligned with one another.
func (t *table) end() {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row[:max(0, len(row)-1)] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i+1 < len(row) {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		if _, err := io.WriteString(t.w, strings.TrimRight(line.String(), " ")+"\n"); t.err == nil {
			t.err = err
		}
	}
	t.rows = nil
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
