package admin

import (
	"context"
	"time"

	"gistdeal"
)

// NewToken is a token that was just created, the only time that its value is known.
type NewToken struct {
	Name  string         `json:"name"`
	Scope gistdeal.Scope `json:"scope" enum:"read,write,admin"`
	Token string         `json:"token"`
}

// AddToken creates a token. It is valid at once, also in a running gistdeal.
func (a *Admin) AddToken(ctx context.Context, name string, scope gistdeal.Scope) (NewToken, error) {
	if err := gistdeal.CheckTokenName(name); err != nil {
		return NewToken{}, err
	}
	t := NewToken{name, scope, gistdeal.NewToken()}
	return t, a.db.AddToken(ctx, name, gistdeal.HashToken(t.Token), scope, time.Now())
}

// Tokens returns all tokens, by name.
func (a *Admin) Tokens(ctx context.Context) ([]gistdeal.Token, error) {
	return a.db.Tokens(ctx)
}

// RevokeToken ends a token, and every login made with it, at once.
func (a *Admin) RevokeToken(ctx context.Context, name string) (Result, error) {
	if err := a.db.RevokeToken(ctx, name, time.Now()); err != nil {
		return Result{}, err
	}
	reason := "its visits are kept, for another token with this name"
	if name == gistdeal.AdminToken {
		reason = "a start with GISTDEAL_ADMIN_TOKEN makes it valid again: change that, or unset it"
	}
	return Result{name, "revoked", reason}, nil
}
