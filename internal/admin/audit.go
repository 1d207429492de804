package admin

import (
	"context"
	"crypto/rand"
	"time"

	"gistdeal"
)

// Audit requests an audit from the leader and waits for its report. If ctx ends
// before, the request stays. Without a leader it returns an error: an audit
// reads Pipedrive, and only the leader does that.
func (a *Admin) Audit(ctx context.Context, o gistdeal.AuditRequest) (report gistdeal.Audit, err error) {
	leader, err := a.db.HasLeader(ctx)
	if err != nil {
		return report, err
	}
	if !leader {
		return report, gistdeal.Errorf(gistdeal.Temporary, "no gistdeal instance is running on this database: start one, then try again")
	}
	o.ID, o.RequestedAt = rand.Text(), time.Now()
	if err := a.db.RequestAudit(ctx, o); err != nil {
		return report, err
	}
	for {
		if report, err = a.db.Audit(ctx, o.ID); err != nil || !report.EndedAt.IsZero() {
			return report, err
		}
		if !wait(ctx) {
			return report, ctx.Err()
		}
	}
}

// ArchivedTokens returns about how many of the day's tokens an audit of all archived deals
// needs at most. Pipedrive does not tell their number, but ids count all deals.
func (a *Admin) ArchivedTokens(ctx context.Context) (int, error) {
	last, err := a.db.LastDealID(ctx)
	const page, tokens = 500, 20
	return (int(last) + page - 1) / page * tokens, err
}
