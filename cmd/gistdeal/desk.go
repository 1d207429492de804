package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gistdeal/internal/app"
	"gistdeal/internal/desk"
)

var errCancelled = errors.New("cancelled; nothing was done")

// atDesk opens the configured database in one way or the other and uses it.
func atDesk(ctx context.Context, open func(context.Context, app.Config) (*desk.Desk, error), use func(*desk.Desk) error) error {
	config, err := withoutKey()
	if err != nil {
		return err
	}
	d, err := open(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(use(d), d.Close())
}

// mayAsk reports whether a person sits at the terminal.
func mayAsk() bool { return app.IsTerminal(os.Stdin) && app.IsTerminal(os.Stderr) }

// question asks the person at the terminal and returns the answer in lower case.
func question(text string) (string, error) {
	fmt.Fprint(os.Stderr, text)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.ToLower(strings.TrimSpace(line)), nil
}

// printResult prints one result at once, aligned with others as well as may be.
func printResult(r desk.Result) {
	// Whoever closed the pipe wants no more lines, but the work goes on.
	_, _ = fmt.Fprintln(os.Stdout, strings.TrimRight(plain(fmt.Sprintf("%-39s  %-9s  %s", r.Asked, spaced(r.Result), r.Reason)), " "))
}

// spaced returns a result's name as people write it.
func spaced(result string) string { return strings.ReplaceAll(result, "_", " ") }

// ago tells a time by how long ago it was, or when it will be.
func ago(t *time.Time) string {
	if t == nil {
		return "-"
	}
	if d := time.Until(*t); d > 0 {
		return "in " + desk.Duration(d)
	}
	return desk.Duration(time.Since(*t)) + " ago"
}

// clock tells a time exactly.
func clock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
