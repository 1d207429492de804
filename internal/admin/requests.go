package admin

import (
	"context"
	"time"

	"gistdeal"
)

// Requests returns up to limit pending scan requests by login, after the given login.
func (a *Admin) Requests(ctx context.Context, after string, limit int) ([]gistdeal.PendingRequest, error) {
	return a.db.ListRequests(ctx, after, limit)
}

// AllRequests returns all pending scan requests by login.
func (a *Admin) AllRequests(ctx context.Context) ([]gistdeal.PendingRequest, error) {
	all := []gistdeal.PendingRequest{}
	for after := ""; ; after = all[len(all)-1].Login {
		some, err := a.db.ListRequests(ctx, after, page)
		if all = append(all, some...); err != nil || len(some) < page {
			return all, err
		}
	}
}

// CancelRequest ends the pending scan request for a login. A scan that has begun goes on.
func (a *Admin) CancelRequest(ctx context.Context, input string) (Result, error) {
	login, err := gistdeal.LoginFrom(input)
	if err != nil {
		return Result{input, "invalid", err.Error()}, nil //nolint:nilerr // The result has the error.
	}
	n, err := a.db.CancelRequests(ctx, login, time.Now())
	if err != nil {
		return Result{}, err
	}
	if n == 0 {
		return Result{input, "not_found", "no request for this login is pending"}, nil
	}
	return Result{Input: input, Result: "canceled"}, nil
}

// CancelAllRequests ends all pending scan requests, and returns their number.
func (a *Admin) CancelAllRequests(ctx context.Context) (int64, error) {
	return a.db.CancelRequests(ctx, "", time.Now())
}
