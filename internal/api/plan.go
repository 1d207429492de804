package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/plan"
)

// plans adds the route that says what tracking users would come to.
func (a *API) plans() {
	add(a, route{
		method: http.MethodPost, path: "/plan", id: "plan", scope: gistdeal.ScopeWrite,
		summary: "Say what tracking users would come to, in deals, requests, tokens and time, without writing anything",
	}, a.plan)
}

type planInput struct {
	Body struct {
		Users     []string           `json:"users" minItems:"1" maxItems:"100" doc:"Logins or addresses: GitHub is asked once for each."`
		FirstScan gistdeal.FirstScan `json:"first_scan,omitempty" enum:"all,new" doc:"The policy that the sums are of; by default the one for new users."`
	}
}

func (a *API) plan(ctx context.Context, in *planInput) (*reply[plan.Plan], error) {
	if a.options.Plan == nil {
		return nil, gistdeal.Errorf(gistdeal.NotFound, "nothing is planned here")
	}
	policy := in.Body.FirstScan
	if policy == "" {
		settings, err := a.desk.Settings(ctx, a.options.Configured)
		if err != nil {
			return nil, err
		}
		for _, s := range settings {
			if s.Name == gistdeal.ChoiceFirstScan {
				policy = gistdeal.FirstScan(s.Value)
			}
		}
	}
	p, err := a.options.Plan(ctx, in.Body.Users, policy)
	return &reply[plan.Plan]{p}, err
}
