package admin

import (
	"context"
	"time"

	"gistdeal"
)

// NewToken is a token with a value that was just created, the only time that it is known.
type NewToken struct {
	Name          string         `json:"name"`
	Scope         gistdeal.Scope `json:"scope" enum:"feed,read,write,admin"`
	ExpiresAt     time.Time      `json:"expires_at,omitzero" doc:"When the token ends; left out if it does not."`
	Rate          int            `json:"rate,omitempty" doc:"Requests a second that it may send; left out if only the limit of its client counts."`
	OldValidUntil time.Time      `json:"old_valid_until,omitzero" doc:"When the old value ends; left out if it has ended or there is none."`
	Token         string         `json:"token"`
	Feeds         []string       `json:"feeds,omitempty" doc:"The URLs of the Atom feeds with this token; paths if gistdeal does not know its address. Left out unless the scope is feed."`
}

func newToken(t gistdeal.Token, value string) NewToken {
	n := NewToken{t.Name, t.Scope, t.ExpiresAt, t.Rate, t.OldValidUntil, value, nil}
	if t.Scope == gistdeal.ScopeFeed {
		for _, path := range gistdeal.FeedPaths {
			n.Feeds = append(n.Feeds, path+"?"+gistdeal.FeedToken+"="+value)
		}
	}
	return n
}

// At returns the token with the URLs of the feeds at the address of gistdeal.
func (n NewToken) At(address string) NewToken {
	feeds := n.Feeds
	n.Feeds = nil
	for _, path := range feeds {
		n.Feeds = append(n.Feeds, address+path)
	}
	return n
}

// AddToken creates a token with the name, scope, expiry and rate of t. It is valid at
// once, also in a running gistdeal.
func (a *Admin) AddToken(ctx context.Context, t gistdeal.Token) (NewToken, error) {
	now := time.Now()
	if err := t.Check(now); err != nil {
		return NewToken{}, err
	}
	t.CreatedAt = now
	value := gistdeal.NewToken()
	return newToken(t, value), a.db.AddToken(ctx, t, gistdeal.HashToken(value))
}

// RotateToken gives a token a new value, which is valid at once. The old one stays valid
// for the overlap. The token keeps its visits, and its expiry unless there is a new one.
func (a *Admin) RotateToken(ctx context.Context, name string, overlap time.Duration, expiresAt time.Time) (NewToken, error) {
	if name == gistdeal.AdminToken {
		return NewToken{}, gistdeal.Errorf(gistdeal.Invalid, "GISTDEAL_ADMIN_TOKEN sets the token %q: change the variable, and restart", name)
	}
	value, now := gistdeal.NewToken(), time.Now()
	r := gistdeal.Rotation{Hash: gistdeal.HashToken(value), Overlap: overlap, ExpiresAt: expiresAt}
	if err := r.Check(now); err != nil {
		return NewToken{}, err
	}
	t, err := a.db.RotateToken(ctx, name, r, now)
	if err != nil {
		return NewToken{}, err
	}
	return newToken(t, value), nil
}

// Tokens returns all tokens, by name.
func (a *Admin) Tokens(ctx context.Context) ([]gistdeal.Token, error) {
	return a.db.Tokens(ctx, time.Now())
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
