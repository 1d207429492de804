package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gistdeal"
	"gistdeal/internal/format"
)

type auditCmd struct {
	printing
	confirming
	Archived        bool   `help:"List all archived deals, not only those that changed; prints the price in tokens first."`
	Repair          bool   `xor:"change" help:"Adopt, relink and queue deals where that is safe; recreates no deal that existed before, and deletes none."`
	Recreate        string `xor:"change" help:"Recreate the deal of this gist, which is gone from Pipedrive." placeholder:"GIST"`
	DeleteDuplicate int64  `xor:"change" help:"Delete this deal, a duplicate of the deal of its gist, in Pipedrive." placeholder:"DEAL"`
}

// Run requests an audit and prints its report. Without flags it changes nothing and
// lists the repairs of --repair.
func (c *auditCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, writes, func(g backend) error {
		if ok, err := c.agree(ctx, g); err != nil || !ok {
			return err
		}
		report, err := g.Audit(ctx, gistdeal.AuditRequest{Archived: c.Archived, Repair: c.Repair, Recreate: c.Recreate, DeleteDuplicate: c.DeleteDuplicate})
		if err != nil {
			return err
		}
		if err := c.print(report, func(t *table) { c.rows(t, report) }); err != nil {
			return err
		}
		if report.Problem != "" {
			return errors.New(report.Problem)
		}
		return nil
	})
}

func (c *auditCmd) rows(t *table, report gistdeal.Audit) {
	switch {
	case report.Problem != "":
		return
	case c.Recreate != "":
		t.row("the deal of gist " + c.Recreate + " will be recreated")
		return
	case c.DeleteDuplicate != 0:
		t.row(fmt.Sprintf("deal %d is deleted", c.DeleteDuplicate))
		return
	}
	if len(report.Discrepancies) > 0 {
		t.row("DISCREPANCY", "GIST", "USER", "DEAL", "OTHERS", "REPAIR")
	}
	for _, d := range report.Discrepancies {
		repair := d.Repair
		if d.Repaired {
			repair = "done: " + repair
		}
		t.row(string(d.Kind), d.GistID, d.Login, fmt.Sprint(d.DealID), strings.Trim(fmt.Sprint(d.Others), "[]"), repair)
	}
	t.end()
	last := fmt.Sprintf("%s gists compared with %s deals: %s discrepancies", format.Number(report.Gists), format.Number(report.Deals), format.Number(report.Different()))
	if kept := len(report.Discrepancies); kept < report.Different() {
		last += fmt.Sprintf(", of which the first %s are listed", format.Number(kept))
	}
	t.row(last)
}
