package main

import (
	"context"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type limitsCmd struct{ printing }

// Run shows what is left of both remotes' allowances, and what is paused.
func (c *limitsCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.ReadDesk, func(d *desk.Desk) error {
		l, err := d.Limits(ctx)
		if err != nil {
			return err
		}
		return c.print(l, func(t *table) {
			if len(l.Budgets) == 0 {
				t.row("nothing is known yet: no gistdeal has worked on this database")
				return
			}
			t.row("ALLOWANCE", "LEFT", "OF", "FOR PEOPLE", "WHOLE AGAIN", "TOLD")
			for _, b := range l.Budgets {
				t.row(b.Name, desk.Number(b.Remaining), desk.Number(b.Limit), desk.Number(b.Kept), clock(&b.Reset), ago(&b.SeenAt))
			}
			t.end()
			for _, p := range [][2]string{{"Pipedrive", l.Pushes.Reason}, {"GitHub", l.GitHub.Reason}} {
				if p[1] != "" {
					t.row(p[0] + " is paused: " + p[1])
				}
			}
		})
	})
}
