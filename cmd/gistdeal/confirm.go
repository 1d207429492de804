package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/format"
)

// errUsage is a command line that lacks a flag: the exit status of one that cannot be parsed.
var errUsage = errors.New("nothing was done")

// confirming is the flags of commands that cannot be undone.
type confirming struct {
	Yes    bool `xor:"confirm" help:"Do not ask; needed without a terminal."`
	DryRun bool `xor:"confirm" help:"Print the change and its cost, and change nothing."`
}

// effect is a change that cannot be undone and its cost.
type effect struct {
	Change   string        `json:"change"` // for people
	Destroys bool          `json:"-"`      // more than the gists, if any
	Gists    int           `json:"gists"`  // that it concerns
	Cost     estimate.Cost `json:"cost"`   // in Pipedrive
}

// agreed shows the effect of a change and reports whether to make it: at a terminal the
// answer decides, without one --yes does.
func (c confirming) agreed(p printing, e effect) (bool, error) {
	if c.DryRun {
		return false, p.print(e, func(t *table) {
			e.rows(t)
			t.row("dry run: nothing is changed")
		})
	}
	if (e.Gists == 0 && !e.Destroys) || (c.Yes && p.JSON) {
		return true, nil
	}
	if err := show(os.Stderr, e.rows); err != nil || c.Yes {
		return err == nil, err
	}
	if err := c.mayAsk(); err != nil {
		return false, err
	}
	return true, ask("Continue? [y/N] ")
}

// creating is agreed for queueing deals.
func (c confirming) creating(ctx context.Context, p printing, g backend, deals int) (bool, error) {
	cost, err := g.Cost(ctx, deals)
	if err != nil {
		return false, err
	}
	return c.agreed(p, effect{Change: fmt.Sprintf("queue %s deals, which are then created in Pipedrive", format.Number(deals)), Gists: deals, Cost: cost})
}

// mayAsk returns an error if the command needs an answer and there is no terminal.
func (c confirming) mayAsk() error {
	if c.Yes || c.DryRun || interactive() {
		return nil
	}
	return fmt.Errorf("%w: this cannot be undone, and there is no terminal to ask at; add --yes to do it, or --dry-run to see what it would do", errUsage)
}

// ask returns an error unless the answer is yes.
func ask(text string) error {
	answer, err := question(text)
	if err == nil && answer != "y" && answer != "yes" {
		err = errCancelled
	}
	return err
}

func (e effect) rows(t *table) {
	t.row(e.Change)
	if e.Cost.Tokens == 0 {
		return
	}
	text := fmt.Sprintf("cost: %s tokens of Pipedrive", format.Number(e.Cost.Tokens))
	if e.Cost.Deals > 0 {
		text += fmt.Sprintf(" for %s deals, %s at the allowed rate", format.Number(e.Cost.Deals), format.Duration(time.Duration(e.Cost.Seconds*float64(time.Second))))
	}
	switch days := e.Cost.Days; {
	case days == nil || *days == 1:
	case *days == 0:
		text += ", never with the daily quota"
	default:
		text += fmt.Sprintf(", %s days with the daily quota", format.Number(*days))
	}
	t.row(text)
}
