package main

import (
	"context"
)

type pauseCmd struct {
	printing
	Reason string `help:"Reason for the pause." placeholder:"TEXT"`
	Scans  bool   `help:"Pause scans too, except for requested ones."`
}

// Run pauses all pushes.
func (c *pauseCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, requests, func(g backend) error {
		p, err := g.PausePushes(ctx, c.Reason, c.Scans)
		if err != nil {
			return err
		}
		return c.print(p, func(t *table) {
			text := "no deals are created until `gistdeal resume`; users are still scanned"
			if p.Scans {
				text = "no users are scanned and no deals are created until `gistdeal resume`"
			}
			if !p.Changed {
				text = "paused already, since " + clock(p.Since) + ": " + p.Reason
			}
			t.row(text)
		})
	})
}

type resumeCmd struct{ printing }

// Run resumes all pushes.
func (c *resumeCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, requests, func(g backend) error {
		p, err := g.ResumePushes(ctx)
		if err != nil {
			return err
		}
		return c.print(p, func(t *table) {
			text := "deals are created again"
			if !p.Changed {
				text = "nothing was paused"
			}
			t.row(text)
		})
	})
}
