package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gistdeal/internal/admin/transfer"
	"gistdeal/internal/format"
	"gistdeal/internal/store"
)

type copyCmd struct {
	printing
	From string `arg:"" help:"A SQLite file that no instance uses."`
	To   string `arg:"" help:"The postgres:// URL of an empty database."`
}

// Run copies the rows, compares them, and prints the next step.
func (c *copyCmd) Run(ctx context.Context) error {
	config, err := withoutKey()
	if err != nil {
		return err
	}
	p := progress{w: os.Stderr, next: time.Now().Add(progressEvery)}
	copied, size, err := transfer.Copy(ctx, c.From, c.To, config.PasswordFile, func(s store.CopyStep) { p.show(s, time.Now()) })
	if err != nil {
		return err
	}
	return c.print(copied, func(t *table) {
		for _, one := range copied {
			t.row(one.Name, format.Number(one.Rows), "rows, equal on both sides")
		}
		t.end()
		t.row("The new database has " + format.Bytes(size) + ".")
		if key := store.EraseKeyFile(strings.TrimPrefix(c.From, "sqlite://")); key != "" {
			t.row("Set GISTDEAL_ERASE_KEY_FILE to a copy of " + shellQuote(key) + ": it recognises erased users.")
		}
		t.row("Set GISTDEAL_DATABASE_URL to the new database and start gistdeal. Never start another instance on " + shellQuote(c.From) + ".")
	})
}

// progressEvery is the time between two lines of progress.
const progressEvery = time.Second

// progress prints how far a long copy is.
type progress struct {
	w    io.Writer
	next time.Time
}

// show prints a step if the last one was printed long enough ago.
func (p *progress) show(s store.CopyStep, now time.Time) {
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(progressEvery)
	verb := "copied"
	if s.Compares {
		verb = "compared"
	}
	fmt.Fprintf(p.w, "%s %s of %s rows (%s)\n", verb, format.Number(s.Rows), format.Number(s.Total), s.Table)
}
