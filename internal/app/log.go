package app

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"gistdeal/internal/format"
)

// NewLog returns the log that the configuration asks for: text at a terminal, else JSON.
func NewLog(w io.Writer, format string) *slog.Logger {
	if format == "text" || (format == "" && IsTerminal(w)) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(escaping{w}, nil))
}

// escaping escapes the characters in JSON that a terminal obeys, because some texts come
// from outside. The text handler does so itself.
type escaping struct{ io.Writer }

func (e escaping) Write(line []byte) (int, error) {
	if _, err := io.WriteString(e.Writer, format.EscapeJSON(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// IsTerminal reports whether f, a reader or writer, is a terminal.
func IsTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
