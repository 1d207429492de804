package main

import (
	"context"
	"fmt"

	"gistdeal/internal/admin/transfer"
	"gistdeal/internal/config"
	"gistdeal/internal/format"
)

type backupCmd struct {
	printing
	File string `arg:"" help:"New file for the copy; it must not exist."`
}

// Run copies the database and prints how to restore it.
func (c *backupCmd) Run(ctx context.Context) error {
	conf, err := withoutKey()
	if err != nil {
		return err
	}
	b, err := transfer.Backup(ctx, string(conf.Database), c.File)
	if err != nil {
		return config.Missing(err)
	}
	return c.print(b, func(t *table) {
		t.row(fmt.Sprintf("%s is a checked copy of %s (%s).", b.File, b.Database, format.Bytes(b.Bytes)))
		t.row("To restore it, stop gistdeal and run:")
		t.row(fmt.Sprintf("  GISTDEAL_DATABASE_URL=%s gistdeal restore %s", shellQuote(b.Database), shellQuote(b.File)))
		t.row("Deals created since the copy are found in Pipedrive at the next start and not created again.")
	})
}
