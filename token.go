package gistdeal

import (
	"context"
	"slices"
)

// Scope is how much who asks may do; each allows what those before it allow.
type Scope string

const (
	// ScopeRead shows everything but tokens, and changes nothing but the visits
	// of who asks.
	ScopeRead Scope = "read"
	// ScopeWrite tracks users, and changes what becomes of users and deals.
	ScopeWrite Scope = "write"
	// ScopeAdmin pauses all pushes, changes settings and tokens, and erases people.
	ScopeAdmin Scope = "admin"
)

// Scopes lists all scopes, the least first.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Allows reports whether who has the scope s may do what needs another.
func (s Scope) Allows(needed Scope) bool {
	return slices.Index(Scopes, s) >= slices.Index(Scopes, needed)
}

// Caller is who asks: the bearer of a token, or everybody without one.
type Caller struct {
	Name  string // of the token, and so of the visitor; Everybody without one
	Scope Scope
}

type callerKey struct{}

// WithCaller returns a context of work that is done for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns for whom the work of ctx is done; nobody may do nothing.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
