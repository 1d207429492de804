package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin/activity"
)

// state adds the routes about gistdeal itself.
func (a *API) state() {
	add(a, route{method: http.MethodGet, path: "/me", id: "get-me", scope: gistdeal.ScopeRead, summary: "Show the caller's token and scope"}, a.me)
	add(a, route{method: http.MethodGet, path: "/overview", id: "get-overview", scope: gistdeal.ScopeRead, summary: "Show the state of everything at a glance"}, a.overview)
	add(a, route{method: http.MethodGet, path: "/quotas", id: "get-quotas", scope: gistdeal.ScopeRead, summary: "Show the quotas and backoffs of both remotes"}, a.quotas)
	add(a, route{method: http.MethodPost, path: "/pushes/pause", id: "pause-pushes", scope: gistdeal.ScopeAdmin, summary: "Stop creating deals until they are resumed"}, a.pause)
	add(a, route{method: http.MethodPost, path: "/pushes/resume", id: "resume-pushes", scope: gistdeal.ScopeAdmin, summary: "Resume creating deals"}, a.resume)
}

type meAnswer struct {
	Name    string         `json:"name" doc:"Of your token; empty if you need none."`
	Scope   gistdeal.Scope `json:"scope" enum:"read,write,admin"`
	Version string         `json:"version" doc:"Of gistdeal."`
}

func (a *API) me(ctx context.Context, _ *struct{}) (*reply[meAnswer], error) {
	c := gistdeal.CallerOf(ctx)
	return &reply[meAnswer]{meAnswer{c.Name, c.Scope, a.options.Version}}, nil
}

func (a *API) overview(ctx context.Context, _ *struct{}) (*reply[activity.Overview], error) {
	o, err := a.activity.Overview(ctx)
	return &reply[activity.Overview]{o}, err
}

func (a *API) quotas(ctx context.Context, _ *struct{}) (*reply[gistdeal.Quotas], error) {
	l, err := a.activity.Quotas(ctx)
	return &reply[gistdeal.Quotas]{l}, err
}

type pauseInput struct {
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Shown wherever the pause is."`
	}
}

func (a *API) pause(ctx context.Context, in *pauseInput) (*reply[activity.Pushes], error) {
	p, err := a.activity.PausePushes(ctx, in.Body.Reason)
	return &reply[activity.Pushes]{p}, err
}

func (a *API) resume(ctx context.Context, _ *struct{}) (*reply[activity.Pushes], error) {
	p, err := a.activity.ResumePushes(ctx)
	a.options.Wake()
	return &reply[activity.Pushes]{p}, err
}
