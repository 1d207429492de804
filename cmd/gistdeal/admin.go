package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gistdeal/internal/admin"
	"gistdeal/internal/app"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
	"gistdeal/internal/store"
)

var errCancelled = errors.New("cancelled; nothing was done")

// withStore opens the configured database in one of two ways and uses it.
func withStore(ctx context.Context, open func(config.Config, context.Context) (*store.Store, error), use func(*store.Store) error) error {
	c, err := withoutKey()
	if err != nil {
		return err
	}
	db, err := open(c, ctx)
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.Close())
}

// interactive reports whether questions can be asked at a terminal.
func interactive() bool { return app.IsTerminal(os.Stdin) && app.IsTerminal(os.Stderr) }

// question asks at the terminal and returns the answer in lower case.
func question(text string) (string, error) {
	fmt.Fprint(os.Stderr, text)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.ToLower(strings.TrimSpace(line)), nil
}

// printResult prints one result at once, in columns of fixed width.
func printResult(r admin.Result) {
	// A closed pipe ends the output, but not the work.
	_, _ = fmt.Fprintln(os.Stdout, strings.TrimRight(plain(fmt.Sprintf("%-39s  %-9s  %s", r.Input, spaced(r.Result), r.Reason)), " "))
}

// spaced returns the name of a result with spaces.
func spaced(result string) string { return strings.ReplaceAll(result, "_", " ") }

// ago formats a time relative to now.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	if d := time.Until(t); d > 0 {
		return "in " + format.Duration(d)
	}
	return format.Duration(time.Since(t)) + " ago"
}

// clock formats a time exactly.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
