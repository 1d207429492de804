package estimate

import (
	"context"
	"time"

	"gistdeal/internal/pipedrive"
)

// paceTimeout is how long Pipedrive has to tell its quotas.
const paceTimeout = 30 * time.Second

// PaceOf returns the pace that Pipedrive allows. With a key it asks Pipedrive once
// for its quotas; a failure of that leaves them open.
func PaceOf(ctx context.Context, url string, o pipedrive.Options) (Pace, error) {
	client, err := pipedrive.New(url, o)
	if err != nil {
		return Pace{}, err
	}
	if o.Token != "" {
		requesting, cancel := context.WithTimeout(ctx, paceTimeout)
		defer cancel()
		if _, err := client.Me(requesting); err != nil && ctx.Err() != nil {
			return Pace{}, ctx.Err()
		}
	}
	return Pace{PerSecond: client.Pace(), Quotas: client.Quotas()}, nil
}
