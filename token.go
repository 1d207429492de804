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

// AdminToken is the name of the token that the configuration sets. No other
// token may have it.
const AdminToken = "admin"

// Token is an API token without its value, which only its bearer has.
type Token struct {
	Name       string    `json:"name"`
	Scope      Scope     `json:"scope" enum:"read,write,admin"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero" doc:"Within a minute or two; left out if it was never used."`
}

// NewToken returns the value of a new token: it cannot be guessed, and tools
// that look for secrets in texts know it by its beginning.
func NewToken() string { return "gd_" + rand.Text() }

// HashToken returns the form in which a token is kept. Its value has far too
// many possibilities to be tried out, so nothing slower is needed.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// CheckTokenName returns an Invalid error if a person may not give a token that name.
func CheckTokenName(name string) error {
	if !tokenName.MatchString(name) {
		return Errorf(Invalid, "%q cannot be the name of a token: it has 1 to 40 letters, digits, dots, - or _", name)
	}
	if name == AdminToken {
		return Errorf(Invalid, "%q is the name of the token that GISTDEAL_ADMIN_TOKEN sets: choose another", name)
	}
	return nil
}

// Scope is the set of allowed actions; each scope includes the ones before it.
type Scope string

const (
	// ScopeRead reads everything except tokens, and changes only the caller's visits.
	ScopeRead Scope = "read"
	// ScopeWrite tracks and changes users, and retries or skips deals.
	ScopeWrite Scope = "write"
	// ScopeAdmin pauses all pushes, changes settings and tokens, and erases people.
	ScopeAdmin Scope = "admin"
)

// Scopes lists all scopes, the least first.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Allows reports whether the scope s includes the needed one.
func (s Scope) Allows(needed Scope) bool {
	return slices.Index(Scopes, s) >= slices.Index(Scopes, needed)
}

// Caller is the origin of a request: the bearer of a token, or Anonymous.
type Caller struct {
	Name  string // of the token, and so of the visitor; Everybody without one
	Scope Scope
	// Client tells clients apart that have no token of their own, by where they
	// are. It is empty for programs of this machine, for which no limits hold.
	Client string
}

type callerKey struct{}

// WithCaller returns a context of work that is done for c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller of the work of ctx; the zero value has no rights.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
