package remote

import (
	"context"
	"time"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/loop"
)

// Audit requests an audit and waits for its report. If ctx ends before, the request stays.
func (r *Remote) Audit(ctx context.Context, o gistdeal.AuditRequest) (gistdeal.Audit, error) {
	report, err := read[gistdeal.Audit](r.api.RequestAudit(ctx, &client.RequestAuditParams{}, client.RequestAuditJSONRequestBody{
		Archived: o.Archived, Repair: o.Repair, Recreate: o.Recreate, DeleteDuplicate: o.DeleteDuplicate,
	}))
	for err == nil && report.EndedAt.IsZero() {
		if !loop.Sleep(ctx, time.Second) {
			return report, ctx.Err()
		}
		report, err = read[gistdeal.Audit](r.api.GetAudit(ctx, report.ID))
	}
	return report, err
}

// ArchivedTokens returns about how many of the day's tokens an audit of all archived deals
// needs at most.
func (r *Remote) ArchivedTokens(ctx context.Context) (int, error) {
	cost, err := read[client.AuditCost](r.api.GetAuditCost(ctx))
	return int(cost.ArchivedTokens), err
}

// DuplicateOf returns the gist of a duplicate deal. The error is NotFound if the deal is
// not recorded as a duplicate.
func (r *Remote) DuplicateOf(ctx context.Context, dealID int64) (gistID string, err error) {
	duplicates, err := all(func(cursor *string) ([]admin.ListedDuplicate, string, error) {
		list, err := read[struct {
			Duplicates []admin.ListedDuplicate
			Next       string
		}](r.api.ListDuplicates(ctx, &client.ListDuplicatesParams{Cursor: cursor, Limit: limit()}))
		return list.Duplicates, list.Next, err
	})
	if err != nil {
		return "", err
	}
	for _, d := range duplicates {
		if d.DealID == dealID {
			return d.GistID, nil
		}
	}
	return "", gistdeal.Errorf(gistdeal.NotFound, "deal %d is not recorded as a duplicate: only duplicate deals can be deleted", dealID)
}
