package main

import (
	"context"
	"strings"

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
	copied, err := transfer.Copy(ctx, c.From, c.To, config.PasswordFile)
	if err != nil {
		return err
	}
	return c.print(copied, func(t *table) {
		for _, one := range copied {
			t.row(one.Name, format.Number(one.Rows), "rows, equal on both sides")
		}
		t.end()
		if key := store.EraseKeyFile(strings.TrimPrefix(c.From, "sqlite://")); key != "" {
			t.row("Set GISTDEAL_ERASE_KEY_FILE to a copy of " + shellQuote(key) + ": it recognises erased users.")
		}
		t.row("Set GISTDEAL_DATABASE_URL to the new database and start gistdeal. Never start another instance on " + shellQuote(c.From) + ".")
	})
}
