package api

import (
	"context"
	"net/http"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addTokenRoutes adds the routes for API tokens.
func (a *API) addTokenRoutes() {
	add(a, route{method: http.MethodGet, path: "/tokens", id: "list-tokens", scope: gistdeal.ScopeAdmin, summary: "List API tokens, without their values"}, a.listTokens)
	add(a, route{
		method: http.MethodPost, path: "/tokens", id: "add-token", scope: gistdeal.ScopeAdmin, status: http.StatusCreated, errors: []int{http.StatusConflict},
		summary: "Create an API token; only this answer contains its value", once: true, secret: true,
	}, a.addToken)
	add(a, route{
		method: http.MethodPost, path: "/tokens/{name}/rotate", id: "rotate-token", scope: gistdeal.ScopeAdmin,
		summary: "Give a token a new value; only this answer contains it. The old value stays valid for the overlap", once: true, secret: true,
	}, a.rotateToken)
	add(a, route{
		method: http.MethodDelete, path: "/tokens/{name}", id: "revoke-token", scope: gistdeal.ScopeAdmin,
		summary: "Revoke a token; this also ends the log-ins that use it",
	}, a.revokeToken)
}

type tokenList struct {
	Tokens []gistdeal.Token `json:"tokens"`
}

func (a *API) listTokens(ctx context.Context, _ *struct{}) (*reply[tokenList], error) {
	tokens, err := a.admin.Tokens(ctx)
	return &reply[tokenList]{tokenList{tokens}}, err
}

type addTokenInput struct {
	Body struct {
		Name      string         `json:"name" minLength:"1" maxLength:"64" doc:"A person or program. It identifies the caller and its visits."`
		Scope     gistdeal.Scope `json:"scope" enum:"feed,read,write,admin"`
		ExpiresAt time.Time      `json:"expires_at,omitzero" doc:"When the token ends; without it never."`
		Rate      int            `json:"rate,omitempty" minimum:"0" maximum:"1000" doc:"Requests a second that the token may send, after a burst of four times as many; without it only the limit of its client counts."`
	}
}

func (a *API) addToken(ctx context.Context, in *addTokenInput) (*placed[admin.NewToken], error) {
	token, err := a.admin.AddToken(ctx, gistdeal.Token{Name: in.Body.Name, Scope: in.Body.Scope, ExpiresAt: in.Body.ExpiresAt, Rate: in.Body.Rate})
	return &placed[admin.NewToken]{Path + "/tokens/" + token.Name, token.At(a.options.PublicURL)}, err
}

type rotateTokenInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		Overlap   string    `json:"overlap,omitempty" default:"24h" maxLength:"20" doc:"How long the old value stays valid, such as 90m, 24h or 7d, at most 30d; 0s ends it at once."`
		ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When the token ends; without it, the expiry stays."`
	}
}

func (a *API) rotateToken(ctx context.Context, in *rotateTokenInput) (*reply[admin.NewToken], error) {
	overlap, err := gistdeal.ParsePeriod(in.Body.Overlap)
	if err != nil {
		return nil, err
	}
	token, err := a.admin.RotateToken(ctx, in.Name, overlap, in.Body.ExpiresAt)
	return &reply[admin.NewToken]{token.At(a.options.PublicURL)}, err
}

type oneToken struct {
	Name string `path:"name" maxLength:"64" doc:"The name of the token." example:"ci"`
}

func (a *API) revokeToken(ctx context.Context, in *oneToken) (*reply[admin.Result], error) {
	r, err := a.admin.RevokeToken(ctx, in.Name)
	return &reply[admin.Result]{r}, err
}
