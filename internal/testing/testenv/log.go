package testenv

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log collects the output of a program or a logger. Several goroutines may use it
// at the same time.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Count returns how often part occurs in the log.
func (l *Log) Count(part string) int { return strings.Count(l.String(), part) }

// Logger returns a logger that writes text lines of every level to the log.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
