package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"gistdeal"
	"gistdeal/client"
	"gistdeal/internal/admin"
	"gistdeal/internal/loop"
)

// AddMany begins to track more users than one request answers with results for.
func (r *Remote) AddMany(ctx context.Context, add admin.Addition) (gistdeal.Operation, error) {
	return read[gistdeal.Operation](r.api.AddUsers(ctx, &client.AddUsersParams{Prefer: new("respond-async")}, client.AddUsersJSONRequestBody{
		Users: add.Logins, Backfill: string(add.Backfill), Again: add.Again, Tags: add.Tags, UserTags: add.TagsOf,
	}))
}

// Operations returns up to limit operations, the newest first.
func (r *Remote) Operations(ctx context.Context, limit int) ([]gistdeal.Operation, error) {
	operations := []gistdeal.Operation{}
	for some, err := range pages(func(cursor *string) ([]gistdeal.Operation, string, error) {
		list, err := read[struct {
			Operations []gistdeal.Operation
			Next       string
		}](r.api.ListOperations(ctx, &client.ListOperationsParams{Cursor: cursor, Limit: new(int64(min(limit, page)))}))
		return list.Operations, list.Next, err
	}) {
		if err != nil {
			return nil, err
		}
		if operations = append(operations, some...); len(operations) >= limit {
			return operations[:limit], nil
		}
	}
	return operations, nil
}

// Operation returns an operation.
func (r *Remote) Operation(ctx context.Context, id string) (gistdeal.Operation, error) {
	return read[gistdeal.Operation](r.api.GetOperation(ctx, id))
}

// OperationResults returns the results of an operation, problems first.
func (r *Remote) OperationResults(ctx context.Context, id string) ([]admin.Result, error) {
	return all(func(cursor *string) ([]admin.Result, string, error) {
		list, err := read[struct {
			Results []admin.Result
			Next    string
		}](r.api.ListOperationResults(ctx, id, &client.ListOperationResultsParams{Cursor: cursor, Limit: limit()}))
		return list.Results, list.Next, err
	})
}

// CancelOperation ends what is pending of an operation.
func (r *Remote) CancelOperation(ctx context.Context, id string) (gistdeal.Operation, error) {
	return read[gistdeal.Operation](r.api.CancelOperation(ctx, id))
}

// HasLeader reports whether an instance works off requests and operations.
func (r *Remote) HasLeader(ctx context.Context) (bool, error) {
	o, err := read[struct{ Leader bool }](r.api.GetOverview(ctx))
	return o.Leader, err
}

// dealResults returns a function that returns the results of a change of deals. The server
// makes a large change an operation, which the function follows to its end.
func (r *Remote) dealResults(ctx context.Context, s admin.DealSelection) func(*http.Response, error) (admin.DealResults, error) {
	return func(resp *http.Response, err error) (results admin.DealResults, _ error) {
		text, err := read[json.RawMessage](resp, err)
		if err != nil {
			return results, err
		}
		if resp.StatusCode != http.StatusAccepted {
			return results, json.Unmarshal(text, &results)
		}
		var op gistdeal.Operation
		if err := json.Unmarshal(text, &op); err != nil {
			return results, err
		}
		for op.EndedAt.IsZero() {
			if !loop.Sleep(ctx, poll) {
				return results, fmt.Errorf("stopped; the operation goes on: `gistdeal operations show %s`", op.ID)
			}
			if op, err = r.Operation(ctx, op.ID); err != nil {
				return results, err
			}
		}
		results = admin.DealResults{Deals: op.Results["retried"] + op.Results["skipped"], Results: []admin.Result{}}
		if len(s.Gists) > 0 {
			results.Results, err = r.OperationResults(ctx, op.ID)
		}
		return results, err
	}
}
