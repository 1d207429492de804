package remote

import (
	"context"

	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/estimate"
)

// Deals returns up to limit of the selected deals, all for 0, by gist id, and whether there
// are more.
func (r *Remote) Deals(ctx context.Context, s admin.DealSelection, limit int) (deals []admin.Deal, more bool, err error) {
	deals = []admin.Deal{}
	for some, err := range pages(func(cursor *string) ([]admin.Deal, string, error) {
		list, err := read[struct {
			Deals []admin.Deal
			Next  string
		}](r.api.ListDeals(ctx, &client.ListDealsParams{
			Cursor: cursor, Limit: new(int64(page)), State: names[client.ListDealsParamsState](s.States), User: given(s.User), Problem: given(s.Problem),
			Search: given(s.Search), Rule: given(s.Rule), UpdatedSince: given(s.UpdatedSince), Sort: given(client.ListDealsParamsSort(s.Order)),
		}))
		return list.Deals, list.Next, err
	}) {
		if err != nil {
			return nil, false, err
		}
		if deals = append(deals, some...); limit > 0 && len(deals) > limit {
			return deals[:limit], true, nil
		}
	}
	return deals, false, nil
}

// Retry queues deals again.
func (r *Remote) Retry(ctx context.Context, s admin.DealSelection) (admin.DealResults, error) {
	return r.retry(ctx, s, false)
}

// Retryable returns how many deals Retry would queue.
func (r *Remote) Retryable(ctx context.Context, s admin.DealSelection) (int, error) {
	would, err := r.retry(ctx, s, true)
	return would.Deals, err
}

func (r *Remote) retry(ctx context.Context, s admin.DealSelection, dryRun bool) (admin.DealResults, error) {
	body := client.RetryDealsJSONRequestBody{Gists: s.Gists, User: s.User, Problem: s.Problem, DryRun: dryRun}
	if states := names[client.DealState](s.States); states != nil {
		body.States = *states
	}
	return r.dealResults(ctx, s)(r.api.RetryDeals(ctx, &client.RetryDealsParams{}, body))
}

// Skip decides that the selected deals are not created, for the reason in note.
func (r *Remote) Skip(ctx context.Context, s admin.DealSelection, note string) (admin.DealResults, error) {
	body := client.SkipDealsJSONRequestBody{Gists: s.Gists, User: s.User, Problem: s.Problem, Note: note}
	if states := names[client.DealState](s.States); states != nil {
		body.States = *states
	}
	return r.dealResults(ctx, s)(r.api.SkipDeals(ctx, &client.SkipDealsParams{}, body))
}

// History returns the history of a gist, given by its id or address.
func (r *Remote) History(ctx context.Context, gist string) (admin.History, error) {
	return read[admin.History](r.api.ExplainDeal(ctx, admin.GistID(gist)))
}

// Cost returns the cost of creating deals.
func (r *Remote) Cost(ctx context.Context, deals int) (estimate.Cost, error) {
	return read[estimate.Cost](r.api.GetCost(ctx, &client.GetCostParams{Deals: new(int64(deals))}))
}

// Estimate estimates the cost of tracking users.
func (r *Remote) Estimate(ctx context.Context, q estimate.Question) (estimate.Estimate, error) {
	return read[estimate.Estimate](r.api.Plan(ctx, client.PlanJSONRequestBody{Users: q.Logins, UserTags: q.Tags, Backfill: string(q.Backfill), Gists: int64(q.Gists), Results: int64(q.Results)}))
}
