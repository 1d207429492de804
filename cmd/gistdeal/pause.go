package main

import (
	"context"

	"gistdeal/internal/desk"
	"gistdeal/internal/operate"
)

type pauseCmd struct {
	printing
	Why string `help:"The reason, which is shown wherever the pause is." placeholder:"TEXT"`
}

// Run holds all pushes back.
func (c *pauseCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		p, err := d.PausePushes(ctx, c.Why)
		if err != nil {
			return err
		}
		return c.print(p, func(t *table) {
			text := "no deals are made until `gistdeal resume`; users are scanned all the same"
			if !p.Changed {
				text = "paused already, since " + clock(p.Since) + ": " + p.Why
			}
			t.row(text)
		})
	})
}

type resumeCmd struct{ printing }

// Run lets pushes go on.
func (c *resumeCmd) Run(ctx context.Context) error {
	return atDesk(ctx, operate.OpenDesk, func(d *desk.Desk) error {
		p, err := d.ResumePushes(ctx)
		if err != nil {
			return err
		}
		return c.print(p, func(t *table) {
			text := "deals are made again"
			if !p.Changed {
				text = "nothing was paused"
			}
			t.row(text)
		})
	})
}
