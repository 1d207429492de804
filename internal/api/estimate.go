package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
)

// estimates adds the route that estimates the cost of tracking users.
func (a *API) estimates() {
	add(a, route{
		method: http.MethodPost, path: "/plan", id: "plan", scope: gistdeal.ScopeWrite,
		summary: "Estimate the cost of tracking users, in deals, requests, tokens and time, without writing anything",
	}, a.estimate)
}

type estimateInput struct {
	Body struct {
		Users    []string          `json:"users" minItems:"1" maxItems:"100" doc:"Logins or addresses: GitHub is asked once for each."`
		Backfill gistdeal.Backfill `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The policy of the sums; by default the one for new users."`
	}
}

func (a *API) estimate(ctx context.Context, in *estimateInput) (*reply[estimate.Estimate], error) {
	if a.options.Estimate == nil {
		return nil, gistdeal.Errorf(gistdeal.NotFound, "this server makes no estimates")
	}
	backfill := in.Body.Backfill
	if backfill == "" {
		value, err := a.offered.Value(ctx, gistdeal.SettingBackfill)
		if err != nil {
			return nil, err
		}
		backfill = gistdeal.Backfill(value)
	}
	if err := backfill.Check(); err != nil {
		return nil, err
	}
	e, err := a.options.Estimate(ctx, in.Body.Users, backfill)
	return &reply[estimate.Estimate]{e}, err
}
