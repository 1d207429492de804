package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// addStateRoutes adds the routes for the state of gistdeal.
func (a *API) addStateRoutes() {
	add(a, route{method: http.MethodGet, path: "/me", id: "get-me", scope: gistdeal.ScopeRead, summary: "Show the name and scope of your token"}, a.me)
	add(a, route{method: http.MethodGet, path: "/overview", id: "get-overview", scope: gistdeal.ScopeRead, summary: "Show users, deals, pushes and the leader at a glance"}, a.overview)
	add(a, route{method: http.MethodGet, path: "/overview/delays", id: "get-delays", scope: gistdeal.ScopeRead, summary: "Show the times from the publication of gists to their deals, by day"}, a.delays)
	add(a, route{method: http.MethodGet, path: "/quotas", id: "get-quotas", scope: gistdeal.ScopeRead, summary: "Show the quotas and backoffs of GitHub and Pipedrive"}, a.quotas)
	add(a, route{method: http.MethodPost, path: "/pushes/pause", id: "pause-pushes", scope: gistdeal.ScopeAdmin, summary: "Pause creating deals, and scans if you like"}, a.pause)
	add(a, route{method: http.MethodPost, path: "/pushes/resume", id: "resume-pushes", scope: gistdeal.ScopeAdmin, summary: "Resume creating deals"}, a.resume)
}

type caller struct {
	Name    string         `json:"name" doc:"The name of your token, or of the person who signed in; empty without a token."`
	Scope   gistdeal.Scope `json:"scope" enum:"feed,read,write,admin"`
	Version string         `json:"version" doc:"The version of gistdeal."`
}

func (a *API) me(ctx context.Context, _ *struct{}) (*reply[caller], error) {
	c := gistdeal.CallerOf(ctx)
	return &reply[caller]{caller{c.Name, c.Scope, a.options.Version}}, nil
}

func (a *API) overview(ctx context.Context, _ *struct{}) (*reply[activity.Overview], error) {
	o, err := a.activity.Overview(ctx)
	return &reply[activity.Overview]{o}, err
}

func (a *API) delays(ctx context.Context, _ *struct{}) (*reply[activity.Delays], error) {
	d, err := a.activity.Delays(ctx)
	return &reply[activity.Delays]{d}, err
}

func (a *API) quotas(ctx context.Context, _ *struct{}) (*reply[gistdeal.Quotas], error) {
	q, err := a.activity.Quotas(ctx)
	return &reply[gistdeal.Quotas]{q}, err
}

type pauseInput struct {
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Shown with the pause."`
		Scans  bool   `json:"scans,omitempty" doc:"Also pause scans and the reading of the feed, except for scans that somebody requests."`
	}
}

func (a *API) pause(ctx context.Context, in *pauseInput) (*reply[activity.Pushes], error) {
	p, err := a.activity.PausePushes(ctx, in.Body.Reason, in.Body.Scans)
	return &reply[activity.Pushes]{p}, err
}

func (a *API) resume(ctx context.Context, _ *struct{}) (*reply[activity.Pushes], error) {
	p, err := a.activity.ResumePushes(ctx)
	a.options.Wake()
	return &reply[activity.Pushes]{p}, err
}
