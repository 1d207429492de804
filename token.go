package gistdeal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"time"
)

// AdminToken is the name of the token from the configuration. No other token may have
// this name.
const AdminToken = "admin"

// Token describes an API token. Only the bearer of the token knows its value.
type Token struct {
	Name       string    `json:"name"`
	Scope      Scope     `json:"scope" enum:"read,write,admin"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"When the token was last used, accurate to two minutes; left out if it was never used."`
}

// NewToken returns a random value for a new token. Its prefix lets secret scanners
// recognize it.
func NewToken() string { return "gd_" + rand.Text() }

// HashToken returns the form in which a token is stored. A fast hash is enough, because
// a random value of that length cannot be found by trying.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// CheckTokenName returns an Invalid error if a new token cannot have that name.
func CheckTokenName(name string) error {
	if !tokenName.MatchString(name) {
		return Errorf(Invalid, "%q cannot be the name of a token: use 1 to 40 letters, digits, dots, hyphens and underscores", name)
	}
	if name == AdminToken {
		return Errorf(Invalid, "%q is the name of the token that GISTDEAL_ADMIN_TOKEN sets: choose another", name)
	}
	return nil
}

// Scope is a set of allowed actions. Each scope includes the ones before it.
type Scope string

const (
	// ScopeRead reads everything except tokens, and changes only the caller's visits.
	ScopeRead Scope = "read"
	// ScopeWrite tracks and changes users, and retries or skips deals.
	ScopeWrite Scope = "write"
	// ScopeAdmin pauses all pushes, changes settings and tokens, and erases users.
	ScopeAdmin Scope = "admin"
)

// Scopes lists all scopes from the smallest to the largest.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Allows reports whether the scope s includes the needed one.
func (s Scope) Allows(needed Scope) bool {
	return slices.Index(Scopes, s) >= slices.Index(Scopes, needed)
}

// Caller is the origin of a request: the bearer of a token, or Anonymous.
type Caller struct {
	Name  string // of the token, which is also the visitor; Anonymous without a token
	Scope Scope
	// Source and Address are those of the changes that the caller makes, for the audit log.
	Source  Source
	Address string
	// Client identifies a client without a token by its address. It is "" for programs
	// on this machine, which have no limits.
	Client string
	// Recheck returns an error once the caller has lost its access. Answers without an
	// end call it; nil means that access cannot be lost.
	Recheck func() error
}

type callerKey struct{}

// WithCaller returns a context for work on behalf of c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller in ctx, or the zero Caller, which may do nothing.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
