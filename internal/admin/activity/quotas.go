package activity

import (
	"context"
	"encoding/json"
	"fmt"

	"gistdeal"
)

// Quotas returns the quotas and backoffs of both remotes as the leader last
// recorded them, a few seconds ago while it runs.
func (a *Activity) Quotas(ctx context.Context) (l gistdeal.Quotas, err error) {
	l.Quotas = []gistdeal.Quota{} // An empty list, not null, before any is known.
	text, err := a.db.Setting(ctx, gistdeal.KeyQuotas)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		return l, fmt.Errorf("read the quotas: %w", err)
	}
	return l, nil
}
