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
	o.ID = rand.Text()
	if err := a.RequestAudit(ctx, o); err != nil {
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

// RequestAudit requests an audit with an id from the leader, which carries it out as soon
// as there is one. Another request with the same id changes nothing.
func (a *Admin) RequestAudit(ctx context.Context, o gistdeal.AuditRequest) error {
	if (o.Repair && (o.Recreate != "" || o.DeleteDuplicate != 0)) || (o.Recreate != "" && o.DeleteDuplicate != 0) {
		return gistdeal.Errorf(gistdeal.Invalid, "an audit does one of repair, recreate and delete_duplicate: ask for them one after another")
	}
	o.RequestedAt = time.Now()
	return a.db.RequestAudit(ctx, o)
}

// AuditReport returns the audit with that id. The error is NotFound if there is none.
func (a *Admin) AuditReport(ctx context.Context, id string) (gistdeal.Audit, error) {
	return a.db.Audit(ctx, id)
}

// DuplicateOf returns the gist of a duplicate deal. The error is NotFound if the deal is
// not recorded as a duplicate.
func (a *Admin) DuplicateOf(ctx context.Context, dealID int64) (gistID string, err error) {
	return a.db.DuplicateOf(ctx, dealID)
}

// ArchivedTokens returns about how many of the day's tokens an audit of all archived deals
// needs at most. Pipedrive does not tell their number, but ids count all deals.
func (a *Admin) ArchivedTokens(ctx context.Context) (int, error) {
	last, err := a.db.LastDealID(ctx)
	const page, tokens = 500, 20
	return (int(last) + page - 1) / page * tokens, err
}
