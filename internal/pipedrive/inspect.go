package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Limits are what the account allows, as the newest answer told it. A limit
// that it did not tell is 0, and then nothing is known of what is left of it.
type Limits struct {
	Burst          int // requests in 2 seconds
	DayTokens      int // tokens a day, of the whole company
	DayTokensLeft  int
	DayWritesKnown bool
	DayWritesLeft  int // requests that write, for the rest of the day
}

// DealTokens is what one new deal costs of the day's tokens (Pipedrive OpenAPI
// 2026-08-18, x-token-cost).
const DealTokens = 5

// Limits returns what the account allows; zero until an answer has told it.
func (c *Client) Limits() Limits {
	if l := c.limits.Load(); l != nil {
		return *l
	}
	return Limits{}
}

func (c *Client) noteLimits(h http.Header) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(h.Get(name))
		return n, err == nil && n >= 0
	}
	var l Limits
	l.Burst, _ = number("x-ratelimit-limit")
	if left, ok := number("x-daily-ratelimit-token-remaining"); ok {
		l.DayTokensLeft = left
		l.DayTokens, _ = number("x-daily-ratelimit-token-limit")
	}
	l.DayWritesLeft, l.DayWritesKnown = number("x-daily-requests-left")
	c.limits.Store(&l)
}

// Missing returns the names of the custom fields that Prepare would make, and
// an error that joins all that would keep Prepare from using the others. It
// makes nothing. keys are as for Prepare.
func (c *Client) Missing(ctx context.Context, keys map[string]string) (missing []string, err error) {
	all, err := c.listFields(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range FieldNames {
		_, found, findErr := c.find(ctx, all, name, keys[name])
		if findErr != nil {
			err = errors.Join(err, fmt.Errorf("field %q: %w", name, findErr))
		} else if !found {
			missing = append(missing, name)
		}
	}
	return missing, err
}

// CheckStage returns nil if new deals have a stage to go to, by the names in the options.
func (c *Client) CheckStage(ctx context.Context) error {
	_, err := c.findStage(ctx)
	return err
}
