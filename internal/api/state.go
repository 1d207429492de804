package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/desk"
)

// state adds the routes about gistdeal itself.
func (a *API) state() {
	add(a, route{method: http.MethodGet, path: "/me", id: "get-me", scope: gistdeal.ScopeRead, summary: "Say who you are here"}, a.me)
	add(a, route{method: http.MethodGet, path: "/overview", id: "get-overview", scope: gistdeal.ScopeRead, summary: "Say what is going on"}, a.overview)
	add(a, route{method: http.MethodGet, path: "/limits", id: "get-limits", scope: gistdeal.ScopeRead, summary: "Say what is left of both remotes' allowances"}, a.limits)
	add(a, route{method: http.MethodPost, path: "/pushes/pause", id: "pause-pushes", scope: gistdeal.ScopeAdmin, summary: "Make no more deals until resumed"}, a.pause)
	add(a, route{method: http.MethodPost, path: "/pushes/resume", id: "resume-pushes", scope: gistdeal.ScopeAdmin, summary: "Make deals again"}, a.resume)
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

func (a *API) overview(ctx context.Context, _ *struct{}) (*reply[desk.Overview], error) {
	o, err := a.desk.Overview(ctx)
	return &reply[desk.Overview]{o}, err
}

func (a *API) limits(ctx context.Context, _ *struct{}) (*reply[gistdeal.Quotas], error) {
	l, err := a.desk.Limits(ctx)
	return &reply[gistdeal.Quotas]{l}, err
}

type pauseInput struct {
	Body struct {
		Why string `json:"why,omitempty" maxLength:"500" doc:"For those who wonder."`
	}
}

func (a *API) pause(ctx context.Context, in *pauseInput) (*reply[desk.Pushes], error) {
	p, err := a.desk.PausePushes(ctx, in.Body.Why)
	return &reply[desk.Pushes]{p}, err
}

func (a *API) resume(ctx context.Context, _ *struct{}) (*reply[desk.Pushes], error) {
	p, err := a.desk.ResumePushes(ctx)
	a.options.Wake()
	return &reply[desk.Pushes]{p}, err
}
