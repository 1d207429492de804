package desk

import (
	"context"
	"crypto/rand"
	"time"

	"gistdeal"
)

// Audit orders an audit from the process that works, and waits for its report.
// If ctx ends before, the order stays. It returns an error if nobody works on
// the database: an audit is made of what Pipedrive says, and only that process
// asks.
func (d *Desk) Audit(ctx context.Context, o gistdeal.AuditOrder) (a gistdeal.Audit, err error) {
	working, err := d.db.Worked(ctx)
	if err != nil {
		return a, err
	}
	if !working {
		return a, gistdeal.Errorf(gistdeal.Temporary, "no gistdeal is at work on this database: start one, then ask again")
	}
	o.ID, o.AskedAt = rand.Text(), time.Now()
	if err := d.db.OrderAudit(ctx, o); err != nil {
		return a, err
	}
	for {
		if a, err = d.db.Audit(ctx, o.ID); err != nil || !a.EndedAt.IsZero() {
			return a, err
		}
		if !pause(ctx) {
			return a, ctx.Err()
		}
	}
}
