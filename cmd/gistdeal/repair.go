package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/format"
	"gistdeal/internal/pipedrive"
)

// Validate refuses a --dry-run of an audit that changes nothing.
func (c *auditCmd) Validate() error {
	if c.DryRun && !c.Archived && !c.changes() {
		return errors.New("an audit changes nothing: --dry-run goes with --archived, --repair, --recreate or --delete-duplicate")
	}
	return nil
}

// changes reports whether the audit changes anything.
func (c *auditCmd) changes() bool { return c.Repair || c.Recreate != "" || c.DeleteDuplicate != 0 }

// agree reports whether to carry out the audit.
func (c *auditCmd) agree(ctx context.Context, g backend) (bool, error) {
	if c.changes() {
		if err := c.mayAsk(); err != nil { // Before an audit that costs tokens.
			return false, err
		}
	}
	if c.Archived {
		if ok, err := c.agreePrice(ctx, g); err != nil || !ok {
			return false, err
		}
	}
	switch {
	case c.Repair:
		return c.agreeRepair(ctx, g)
	case c.Recreate != "":
		return c.agreeRecreate(ctx, g)
	case c.DeleteDuplicate != 0:
		return c.agreeDelete(ctx, g)
	}
	return true, nil
}

// agreePrice prints the price of a list of all archived deals, and asks at a terminal.
func (c *auditCmd) agreePrice(ctx context.Context, g backend) (bool, error) {
	tokens, err := g.ArchivedTokens(ctx)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(os.Stderr, "The list of all archived deals costs up to about %s tokens of Pipedrive's day.\n", format.Number(tokens))
	switch {
	case c.DryRun && !c.changes():
		return false, nil
	case c.Yes || c.JSON || !interactive():
		return true, nil
	}
	return true, ask("Continue? [y/N] ")
}

// agreeRepair carries out an audit that changes nothing, and shows its repairs. With
// --yes that would only cost tokens: the report of the repair says the same.
func (c *auditCmd) agreeRepair(ctx context.Context, g backend) (bool, error) {
	if c.Yes {
		return true, nil
	}
	report, err := g.Audit(ctx, gistdeal.AuditRequest{Archived: c.Archived})
	if err == nil && report.Problem != "" {
		err = errors.New(report.Problem)
	}
	if err != nil {
		return false, err
	}
	c.Archived = false // They have just been listed.
	if !c.JSON {
		if err := show(os.Stdout, func(t *table) { c.rows(t, report) }); err != nil {
			return false, err
		}
	}
	e, err := repairs(ctx, g, report)
	if err != nil || (e.Gists == 0 && !c.DryRun && !c.JSON) {
		return false, err // There is nothing to repair, and the report was shown.
	}
	return c.agreed(c.printing, e)
}

// repairs is the effect of repairing what the report lists.
func repairs(ctx context.Context, g backend, report gistdeal.Audit) (effect, error) {
	existing, queued := 0, 0
	for _, d := range report.Discrepancies {
		switch {
		case d.Repair == "":
		case d.Kind == gistdeal.DiscrepancyNeverCreated:
			queued++
		default:
			existing++
		}
	}
	cost, err := g.Cost(ctx, queued)
	e := effect{Gists: existing + queued, Cost: cost, Change: fmt.Sprintf("link %s gists to deals that exist, and queue %s deals", format.Number(existing), format.Number(queued))}
	if e.Gists == gistdeal.MaxDiscrepancies {
		e.Change += ", at least: there may be more than the report lists"
	}
	return e, err
}

func (c *auditCmd) agreeRecreate(ctx context.Context, g backend) (bool, error) {
	history, err := g.History(ctx, c.Recreate)
	if err != nil {
		return false, err
	}
	cost, err := g.Cost(ctx, 1)
	if err != nil {
		return false, err
	}
	return c.agreed(c.printing, effect{
		Gists: 1, Cost: cost, Change: fmt.Sprintf("create a new deal for gist %s of %s, instead of deal %s", history.GistID, history.User.Login, dealName(history.DealID)),
	})
}

func (c *auditCmd) agreeDelete(ctx context.Context, g backend) (bool, error) {
	gistID, err := g.DuplicateOf(ctx, c.DeleteDuplicate)
	if err != nil {
		return false, err
	}
	return c.agreed(c.printing, effect{
		Gists: 1, Cost: estimate.Cost{Tokens: pipedrive.DeleteTokens}, Change: fmt.Sprintf("delete deal %d in Pipedrive, a duplicate of the deal of gist %s", c.DeleteDuplicate, gistID),
	})
}
