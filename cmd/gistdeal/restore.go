package main

import (
	"context"
	"fmt"
	"time"

	"gistdeal/internal/admin/transfer"
	"gistdeal/internal/format"
)

type restoreCmd struct {
	printing
	confirming
	File string `arg:"" help:"A file that backup made, or a copy that a migration kept."`
}

// Run replaces the database by a backup and prints what comes next.
func (c *restoreCmd) Run(ctx context.Context) error {
	conf, err := withoutKey()
	if err != nil {
		return err
	}
	r, err := transfer.PlanRestore(ctx, string(conf.Database), c.File, time.Now())
	if err != nil {
		return err
	}
	if ok, err := c.agreed(c.printing, restoring(r)); err != nil || !ok {
		return err
	}
	if err := transfer.Restore(ctx, r); err != nil {
		return err
	}
	return c.print(r, func(t *table) {
		t.row(fmt.Sprintf("%s is restored from %s.", r.Database, r.Backup.File))
		if r.Kept != "" {
			t.row("The former database is " + shellQuote(r.Kept) + ". Delete it when nobody needs it, and never start a gistdeal on it.")
		}
		t.row("To look at it before deals are created: gistdeal pause --reason 'restored; to be checked'")
		t.row("Then start `gistdeal serve`. It finds deals created since the backup in Pipedrive and does not create them again.")
		t.row("Users added since the backup are missing; users removed or erased since then are back: remove or erase them again.")
		t.row("Tokens revoked or rotated since then have their old values: revoke them again. `gistdeal tokens list` lists them.")
		if r.Migrates {
			t.row("The backup is of an older gistdeal: the start migrates it.")
		}
	})
}

// restoring is the effect of restoring a backup; only without a database is nothing lost.
func restoring(r transfer.Replacement) effect {
	text := fmt.Sprintf("restore %s (%s)", r.Backup.File, format.Bytes(r.Backup.Bytes))
	if r.Kept == "" {
		return effect{Change: text + " as " + r.Database}
	}
	return effect{Destroys: true, Change: fmt.Sprintf("%s in place of %s (%s), which is kept as %s", text, r.Database, format.Bytes(r.Bytes), r.Kept)}
}
