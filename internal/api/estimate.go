package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
)

// addEstimateRoute adds the route that estimates the cost of tracking users.
func (a *API) addEstimateRoute() {
	add(a, route{
		method: http.MethodPost, path: "/plan", id: "plan", scope: gistdeal.ScopeWrite,
		summary: "Estimate the deals, requests, tokens and time that tracking users would take; this changes nothing",
	}, a.estimate)
}

type estimateInput struct {
	Body struct {
		Users    []string          `json:"users" minItems:"1" maxItems:"100" doc:"Logins or GitHub URLs. Each takes one request to GitHub."`
		Backfill gistdeal.Backfill `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The policy that the totals assume; by default the policy of new users."`
	}
}

func (a *API) estimate(ctx context.Context, in *estimateInput) (*reply[estimate.Estimate], error) {
	if a.options.Estimate == nil {
		return nil, gistdeal.Errorf(gistdeal.NotFound, "this server cannot estimate costs")
	}
	backfill, err := a.backfill(ctx, in.Body.Backfill)
	if err != nil {
		return nil, err
	}
	e, err := a.options.Estimate(ctx, in.Body.Users, backfill)
	return &reply[estimate.Estimate]{e}, err
}
