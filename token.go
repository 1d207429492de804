package gistdeal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AdminToken is the name of the token from the configuration. No other token may have
// this name.
const AdminToken = "admin"

// Token describes an API token. Only the bearer of the token knows its value.
type Token struct {
	Name          string    `json:"name"`
	Scope         Scope     `json:"scope" enum:"feed,read,write,admin"`
	CreatedAt     time.Time `json:"created_at"`
	ExpiresAt     time.Time `json:"expires_at,omitzero" doc:"When the token ends; left out if it does not."`
	Rate          int       `json:"rate,omitempty" doc:"Requests a second that the token may send, after a burst of four times as many; left out if only the limit of its client counts."`
	LastUsedAt    time.Time `json:"last_used_at,omitzero" doc:"When the token was last used, accurate to two minutes; left out if it was never used."`
	LastUsedFrom  string    `json:"last_used_from,omitempty" doc:"The address of the client of the last use."`
	OldValidUntil time.Time `json:"old_valid_until,omitzero" doc:"When the value from before the last rotation ends; left out if it has ended or there is none."`
	OldUsedAt     time.Time `json:"old_used_at,omitzero" doc:"When that value was last used; left out if it was not used since the rotation."`
}

// Expired reports whether the token has ended.
func (t Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// maxRate is the highest rate of a token.
const maxRate = 1000

// Check returns an Invalid error if a new token cannot be like t.
func (t Token) Check(now time.Time) error {
	if err := CheckTokenName(t.Name); err != nil {
		return err
	}
	if t.Rate < 0 || t.Rate > maxRate {
		return Errorf(Invalid, "the rate of a token is 1 to %d requests a second, or 0 for no limit of its own", maxRate)
	}
	return checkExpiry(t.ExpiresAt, now)
}

func checkExpiry(at, now time.Time) error {
	if !at.IsZero() && !at.After(now) {
		return Errorf(Invalid, "the expiry of a token must be in the future")
	}
	return nil
}

// Overlaps of rotations.
const (
	DefaultOverlap = 24 * time.Hour
	maxOverlap     = 30 * 24 * time.Hour
)

// Rotation is a change of the value of a token.
type Rotation struct {
	Hash      string        // of the new value
	Overlap   time.Duration // how long the old value stays valid too; 0 ends it at once
	ExpiresAt time.Time     // the new expiry of the token; zero keeps the one it has
}

// Check returns an Invalid error if no token can be rotated like that.
func (r Rotation) Check(now time.Time) error {
	if r.Overlap < 0 || r.Overlap > maxOverlap {
		return Errorf(Invalid, "the overlap of a rotation is at most 30d, and 0 ends the old value at once")
	}
	return checkExpiry(r.ExpiresAt, now)
}

// Of returns the token after its rotation, or an Invalid error if the new value would
// not be valid. The old value ends with the overlap, but never after the expiry that it
// had: rotating an expired token does not make its old value valid again.
func (r Rotation) Of(t Token, now time.Time) (Token, error) {
	t.OldUsedAt, t.OldValidUntil = time.Time{}, now.Add(r.Overlap)
	if !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(t.OldValidUntil) {
		t.OldValidUntil = t.ExpiresAt
	}
	if !t.OldValidUntil.After(now) {
		t.OldValidUntil = time.Time{}
	}
	if !r.ExpiresAt.IsZero() {
		t.ExpiresAt = r.ExpiresAt
	}
	if t.Expired(now) {
		return t, Errorf(Invalid, "token %q has expired, and its new value would have too: give it a new expiry", t.Name)
	}
	return t, nil
}

// ParsePeriod parses a duration, which may also be a number of days such as 90d.
func ParsePeriod(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, Errorf(Invalid, "%q is not a period (want 90d, 24h, 30m ...)", text)
	}
	return d, nil
}

// NewToken returns a random value for a new token. Its prefix lets secret scanners
// recognize it.
func NewToken() string { return "gd_" + rand.Text() }

// FeedPaths are the paths of the Atom feeds.
var FeedPaths = []string{"/api/v1/gists.atom", "/api/v1/deals.atom"}

// FeedToken is the parameter of a URL of a feed that has a token of ScopeFeed.
const FeedToken = "token"

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
	// ScopeFeed reads the Atom feeds. Its tokens may be in the URL, where others are refused.
	ScopeFeed Scope = "feed"
	// ScopeRead reads everything except tokens, and changes only the caller's visits.
	ScopeRead Scope = "read"
	// ScopeWrite tracks and changes users, and retries or skips deals.
	ScopeWrite Scope = "write"
	// ScopeAdmin pauses all pushes, changes settings and tokens, and erases users.
	ScopeAdmin Scope = "admin"
)

// Scopes lists all scopes from the smallest to the largest.
var Scopes = []Scope{ScopeFeed, ScopeRead, ScopeWrite, ScopeAdmin}

// Allows reports whether the scope s includes the needed one.
func (s Scope) Allows(needed Scope) bool {
	return slices.Index(Scopes, s) >= slices.Index(Scopes, needed)
}

// Caller is the origin of a request: the bearer of a token, a person who signed in, or
// Anonymous.
type Caller struct {
	Name  string // of the token or the person, which is also the visitor; Anonymous without either
	Scope Scope
	// Source and Address are those of the changes that the caller makes, for the audit log.
	Source  Source
	Address string
	Rate    int // requests a second; 0 if only the limit of the client counts
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
