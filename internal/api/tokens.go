package api

import (
	"context"
	"net/http"

	"gistdeal"
	"gistdeal/internal/admin"
)

// addTokenRoutes adds the routes for API tokens.
func (a *API) addTokenRoutes() {
	add(a, route{method: http.MethodGet, path: "/tokens", id: "list-tokens", scope: gistdeal.ScopeAdmin, summary: "List API tokens, without their values"}, a.listTokens)
	add(a, route{
		method: http.MethodPost, path: "/tokens", id: "add-token", scope: gistdeal.ScopeAdmin, status: http.StatusCreated, errors: []int{http.StatusConflict},
		summary: "Create an API token; only this answer contains its value",
	}, a.addToken)
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
		Name  string         `json:"name" minLength:"1" maxLength:"64" doc:"A person or program. It identifies the caller and its visits."`
		Scope gistdeal.Scope `json:"scope" enum:"read,write,admin"`
	}
}

func (a *API) addToken(ctx context.Context, in *addTokenInput) (*placed[admin.NewToken], error) {
	token, err := a.admin.AddToken(ctx, in.Body.Name, in.Body.Scope)
	return &placed[admin.NewToken]{Path + "/tokens/" + token.Name, token}, err
}

type oneToken struct {
	Name string `path:"name" maxLength:"64" doc:"The name of the token." example:"ci"`
}

func (a *API) revokeToken(ctx context.Context, in *oneToken) (*reply[admin.Result], error) {
	r, err := a.admin.RevokeToken(ctx, in.Name)
	return &reply[admin.Result]{r}, err
}
