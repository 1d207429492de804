package main

import (
	"context"
	"fmt"

	"gistdeal/internal/format"
)

type quotaCmd struct{ printing }

// Run shows the quotas and backoffs of both remotes.
func (c *quotaCmd) Run(ctx context.Context, at serverFlags) error {
	return c.withGistdeal(ctx, at, reads, func(g backend) error {
		l, err := g.Quotas(ctx)
		if err != nil {
			return err
		}
		return c.print(l, func(t *table) {
			if len(l.Quotas) == 0 {
				t.row("no quota is known yet: no gistdeal has run on this database")
				return
			}
			t.row("QUOTA", "REMAINING", "OF", "RESERVED", "RESETS", "SEEN")
			for _, b := range l.Quotas {
				t.row(b.Name, format.Number(b.Remaining), format.Number(b.Limit), format.Number(b.Reserved), clock(b.Reset), ago(b.SeenAt))
			}
			t.end()
			if l.Sweep != nil {
				t.row("sweeps: " + sweepText(*l.Sweep))
			}
			for _, o := range l.Outages {
				t.row(fmt.Sprintf("requests to %s have failed since %s: %s", o.Remote, clock(o.Since), o.Reason))
			}
			for _, p := range [][2]string{{"Pipedrive is in backoff: ", l.Pushes.Reason}, {"GitHub is in backoff: ", l.GitHub.Reason}, {"deals wait after a fault of gistdeal or of its database: ", l.Database.Reason}} {
				if p[1] != "" {
					t.row(p[0] + p[1])
				}
			}
		})
	})
}
