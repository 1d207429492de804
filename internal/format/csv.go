package format

import (
	"encoding/csv"
	"io"
	"time"
)

// CSV writes rows as RFC 4180 says, with texts that no spreadsheet runs as a formula,
// also one that splits lines at semicolons or tabs.
type CSV struct{ w *csv.Writer }

// NewCSV returns a CSV that writes to w.
func NewCSV(w io.Writer) CSV {
	c := CSV{csv.NewWriter(w)}
	c.w.UseCRLF = true
	return c
}

// CSVTime returns the text of a time in a cell; "" for the zero time.
func CSVTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Row writes a row.
func (c CSV) Row(cells ...string) error {
	for i, cell := range cells {
		cells[i] = noFormulaWithin(NoFormula(cell))
	}
	return c.w.Write(cells)
}

// Flush writes the rows so far, and returns the first error.
func (c CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}
