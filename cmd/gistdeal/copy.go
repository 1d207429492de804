package main

import (
	"context"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type copyCmd struct {
	printing
	From string `arg:"" help:"A SQLite file on which no gistdeal works."`
	To   string `arg:"" help:"The postgres:// URL of an empty database."`
}

// Run copies, compares, and says how to go on.
func (c *copyCmd) Run(ctx context.Context) error {
	config, err := withoutKey()
	if err != nil {
		return err
	}
	copied := []operate.CopiedTable{}
	err = operate.CopyDatabase(ctx, c.From, c.To, config.PasswordFile, func(t operate.CopiedTable) { copied = append(copied, t) })
	if err != nil {
		return err
	}
	return c.print(copied, func(t *table) {
		for _, one := range copied {
			t.row(one.Name, desk.Number(one.Rows), "rows, equal on both sides")
		}
		t.end()
		t.row("Set GISTDEAL_DATABASE_URL to the new database and start gistdeal. Never start one on " + shellQuote(c.From) + " again beside it.")
	})
}
