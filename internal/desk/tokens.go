package desk

import (
	"context"
	"time"

	"gistdeal"
)

// Token is an API token as the database has it.
type Token struct {
	Name       string         `json:"name"`
	Scope      gistdeal.Scope `json:"scope" enum:"read,write,admin"`
	MadeAt     *time.Time     `json:"made_at"`
	LastUsedAt *time.Time     `json:"last_used_at"` // to a minute or two; null if it was never used
}

// NewToken is a token that was just made, the only time that its value is known.
type NewToken struct {
	Name  string         `json:"name"`
	Scope gistdeal.Scope `json:"scope" enum:"read,write,admin"`
	Token string         `json:"token"`
}

// AddToken makes a token, which is valid from now on, beside a gistdeal at work too.
func (d *Desk) AddToken(ctx context.Context, name string, scope gistdeal.Scope) (NewToken, error) {
	if err := gistdeal.CheckTokenName(name); err != nil {
		return NewToken{}, err
	}
	t := NewToken{name, scope, gistdeal.NewToken()}
	return t, d.db.AddToken(ctx, name, gistdeal.HashToken(t.Token), scope, time.Now())
}

// Tokens returns all tokens, by name.
func (d *Desk) Tokens(ctx context.Context) ([]Token, error) {
	all := []Token{}
	if d.db == nil {
		return all, nil
	}
	tokens, err := d.db.Tokens(ctx)
	for _, t := range tokens {
		all = append(all, Token{t.Name, t.Scope, when(t.CreatedAt), when(t.LastUsedAt)})
	}
	return all, err
}

// RevokeToken ends a token at once, and with it whoever is logged in by it.
func (d *Desk) RevokeToken(ctx context.Context, name string) (Result, error) {
	if err := d.db.RevokeToken(ctx, name); err != nil {
		return Result{}, err
	}
	reason := "what it was shown stays known, for another token of that name"
	if name == gistdeal.AdminToken {
		reason = "a start with GISTDEAL_ADMIN_TOKEN makes it valid again: change that, or unset it"
	}
	return Result{name, "revoked", reason}, nil
}
