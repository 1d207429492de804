package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin"
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

// maxPlanned is the most gists that one estimate reads.
const maxPlanned = 2_000

type estimateInput struct {
	Body struct {
		Users    []string            `json:"users" minItems:"1" maxItems:"100" doc:"Logins or GitHub URLs. Each takes one request to GitHub."`
		UserTags map[string][]string `json:"user_tags,omitempty" maxProperties:"100" doc:"Tags that some of the users will have, by their entry in users: rules can ask for them."`
		Backfill gistdeal.Backfill   `json:"backfill,omitempty" pattern:"^(all|none|[0-9]{4}-[0-9]{2}-[0-9]{2})$" doc:"The policy that the totals assume; by default the policy of new users."`
		Gists    int                 `json:"gists,omitempty" minimum:"0" maximum:"500" doc:"How many gists of each new user the rules decide about; each 100 take one request to GitHub. At most 2,000 for all users; 0 for none."`
		Results  int                 `json:"results,omitempty" minimum:"0" maximum:"500" doc:"The number of gists in the answer with their decisions."`
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
	if n := in.Body.Gists * len(in.Body.Users); n > maxPlanned {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "%d users with %d gists each are %d gists, more than %d", len(in.Body.Users), in.Body.Gists, n, maxPlanned)
	}
	if err := (admin.Addition{Logins: in.Body.Users, TagsOf: in.Body.UserTags}).CheckTags(); err != nil {
		return nil, err
	}
	e, err := a.options.Estimate(ctx, estimate.Question{Logins: in.Body.Users, Tags: in.Body.UserTags, Backfill: backfill, Gists: in.Body.Gists, Results: in.Body.Results})
	return &reply[estimate.Estimate]{e}, err
}
