package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gistdeal"
	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type auditCmd struct {
	printing
	Repair        bool   `xor:"what" help:"Adopt, relink and queue what can be mended; makes no deal again that once was there, and deletes none."`
	Recreate      string `xor:"what" help:"Make the deal of this gist again, whose deal is gone from Pipedrive." placeholder:"GIST"`
	Yes           bool   `help:"Repair without asking."`
	DeleteSurplus int64  `xor:"what" help:"Delete this deal, the second one of its gist, in Pipedrive." placeholder:"DEAL"`
}

// Run orders an audit and shows its report. Without flags it changes nothing and
// says what --repair would do; a person at the terminal is shown that first,
// and asked.
func (c *auditCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		if c.Repair && !c.Yes && !c.JSON && mayAsk() {
			if err := c.agree(ctx, d); err != nil {
				return err
			}
		}
		a, err := d.Audit(ctx, gistdeal.AuditOrder{Repair: c.Repair, Recreate: c.Recreate, DeleteSurplus: c.DeleteSurplus})
		if err != nil {
			return err
		}
		if err := c.print(a, func(t *table) { c.rows(t, a) }); err != nil {
			return err
		}
		if a.Problem != "" {
			return errors.New(a.Problem)
		}
		return nil
	})
}

// agree shows what a repair would do and returns an error unless the person
// says yes.
func (c *auditCmd) agree(ctx context.Context, d *desk.Desk) error {
	a, err := d.Audit(ctx, gistdeal.AuditOrder{})
	if err != nil {
		return err
	}
	if err := c.print(a, func(t *table) { c.rows(t, a) }); err != nil {
		return err
	}
	answer, err := question("Repair this? [yes/NO] ")
	if err == nil && answer != "y" && answer != "yes" {
		err = errCancelled
	}
	return err
}

func (c *auditCmd) rows(t *table, a gistdeal.Audit) {
	switch {
	case a.Problem != "":
		return
	case c.Recreate != "":
		t.row("the deal of gist " + c.Recreate + " will be made again")
		return
	case c.DeleteSurplus != 0:
		t.row(fmt.Sprintf("deal %d is deleted", c.DeleteSurplus))
		return
	}
	if len(a.Differences) > 0 {
		t.row("DIFFERENCE", "GIST", "USER", "DEAL", "OTHERS", "REPAIR")
	}
	for _, d := range a.Differences {
		repair := d.Repair
		if d.Repaired {
			repair = "done: " + repair
		}
		t.row(string(d.Kind), d.GistID, d.Login, fmt.Sprint(d.DealID), strings.Trim(fmt.Sprint(d.Others), "[]"), repair)
	}
	t.end()
	last := fmt.Sprintf("%s gists compared with %s deals: %s differences", desk.Number(a.Gists), desk.Number(a.Deals), desk.Number(a.Different()))
	if kept := len(a.Differences); kept < a.Different() {
		last += fmt.Sprintf(", of which the first %s are listed", desk.Number(kept))
	}
	t.row(last)
}
