package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
)

// addEstimateRoutes adds the routes that estimate costs.
func (a *API) addEstimateRoutes() {
	add(a, route{
		method: http.MethodPost, path: "/plan", id: "plan", scope: gistdeal.ScopeWrite,
		summary: "Estimate the deals, requests, tokens and time that tracking users would take; this changes nothing",
	}, a.estimate)
	add(a, route{
		method: http.MethodGet, path: "/plan", id: "get-cost", scope: gistdeal.ScopeRead,
		summary: "Estimate the tokens and the time that creating deals would take; this changes nothing",
	}, a.cost)
}

type costInput struct {
	Deals int `query:"deals" default:"1" minimum:"0" maximum:"1000000000" doc:"The number of deals."`
}

func (a *API) cost(ctx context.Context, in *costInput) (*reply[estimate.Cost], error) {
	if a.options.Cost == nil {
		return nil, errNoEstimate
	}
	c, err := a.options.Cost(ctx, in.Deals)
	return &reply[estimate.Cost]{c}, err
}

var errNoEstimate = gistdeal.Errorf(gistdeal.NotFound, "this server cannot estimate costs")

type estimateInput struct {
	Body struct {
		Users    []string          `json:"users" minItems:"1" maxItems:"100" doc:"Logins or GitHub URLs. Each takes one request to GitHub."`
		Backfill gistdeal.Backfill `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The policy that the totals assume; by default the policy of new users."`
	}
}

func (a *API) estimate(ctx context.Context, in *estimateInput) (*reply[estimate.Estimate], error) {
	if a.options.Estimate == nil {
		return nil, errNoEstimate
	}
	backfill, err := a.backfill(ctx, in.Body.Backfill)
	if err != nil {
		return nil, err
	}
	e, err := a.options.Estimate(ctx, in.Body.Users, backfill)
	return &reply[estimate.Estimate]{e}, err
}
