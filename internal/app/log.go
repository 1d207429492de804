package app

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// NewLog returns the log that the configuration asks for: text at a terminal, else JSON.
func NewLog(w io.Writer, format string) *slog.Logger {
	if format == "text" || (format == "" && IsTerminal(w)) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

// IsTerminal reports whether f, a reader or writer, is a terminal.
func IsTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
