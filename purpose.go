package gistdeal

import (
	"context"
	"sync"
)

// Purpose says what requests to Pipedrive are for.
type Purpose string

// The purposes.
const (
	PurposeConnect     Purpose = "connect"     // read the account, its fields and the target
	PurposeCatchUp     Purpose = "catch_up"    // adopt deals that the database does not know
	PurposePush        Purpose = "push"        // create deals
	PurposeAmend       Purpose = "amend"       // let deals follow edits and deletions of gists
	PurposeLookup      Purpose = "lookup"      // find the deals of attempts in doubt
	PurposeAudit       Purpose = "audit"       // compare all deals with the database
	PurposeProbe       Purpose = "probe"       // ask whether a spent quota is available again
	PurposeInteractive Purpose = "interactive" // a person waits; the reserved part of the quota may be used
	PurposeOther       Purpose = "other"
)

// Cost adds up what the requests of a context cost.
type Cost struct {
	purpose Purpose

	mu   sync.Mutex
	all  float64
	last float64
}

// costKey is the key of a context's Cost.
type costKey struct{}

// WithPurpose returns a context for requests with that purpose, and their cost. The cost
// of a context inside it counts only there.
func WithPurpose(ctx context.Context, p Purpose) (context.Context, *Cost) {
	c := &Cost{purpose: p}
	return context.WithValue(ctx, costKey{}, c), c
}

// CostOf returns the cost of the context's requests; nil, which is valid, if nothing
// adds it up.
func CostOf(ctx context.Context) *Cost {
	c, _ := ctx.Value(costKey{}).(*Cost)
	return c
}

// Purpose returns the purpose of the requests.
func (c *Cost) Purpose() Purpose {
	if c == nil {
		return PurposeOther
	}
	return c.purpose
}

// Add adds a request that cost a share of the day's quota.
func (c *Cost) Add(share float64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all, c.last = c.all+share, share
}

// All returns the cost of all requests so far, as a share of the day's quota.
func (c *Cost) All() float64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// Last returns the cost of the last request, as a share of the day's quota.
func (c *Cost) Last() float64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}
