package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// used counts the requests and tokens since the client was created.
type used struct{ requests, tokens atomic.Int64 }

// Used returns the number of requests since the client was created, and the number
// of the day's tokens that the answered ones cost. Pipedrive does not document the
// cost of a refused request: it counts in full.
func (c *Client) Used() (requests, tokens int) {
	return int(c.used.requests.Load()), int(c.used.tokens.Load())
}

// cost returns the cost of a request in tokens of the day (Pipedrive OpenAPI
// 2026-08-18, x-token-cost).
func cost(r *http.Request) int {
	ends := func(path string) bool { return strings.HasSuffix(r.URL.Path, path) }
	switch {
	case r.Method == http.MethodPost:
		return DealTokens // A field costs the same.
	case r.Method == http.MethodDelete:
		return 3
	case ends("/deals/archived") || ends("/v1/users"):
		return 20
	case ends("/deals") || ends("/dealFields"):
		return 10
	case ends("/pipelines") || ends("/stages"):
		return 5
	case ends("/v1/users/me"):
		return 2
	}
	return 1 // One of a kind, by its id.
}

// DealTokens is the cost of one new deal in tokens of the day (Pipedrive OpenAPI
// 2026-08-18, x-token-cost).
const DealTokens = 5

// Pace returns how many requests a second are sent at the most while nobody
// else uses the key, as the newest answer allows it.
func (c *Client) Pace() float64 { return c.limiter.pace() }

// Missing returns the names of the custom fields that Prepare would make, and
// an error that joins all that would keep Prepare from using the others. It
// makes nothing. keys are as for Prepare.
func (c *Client) Missing(ctx context.Context, keys map[string]string) (missing []string, err error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range FieldNames {
		_, exists, findErr := c.find(ctx, all, name, keys[name])
		if findErr != nil {
			err = errors.Join(err, fmt.Errorf("field %q: %w", name, findErr))
		} else if !exists {
			missing = append(missing, name)
		}
	}
	return missing, err
}

// CheckTarget returns nil if new deals have a stage to go to and an owner.
func (c *Client) CheckTarget(ctx context.Context) error {
	_, stageErr := c.findStage(ctx)
	_, ownerErr := c.findOwner(ctx)
	return errors.Join(stageErr, ownerErr)
}
