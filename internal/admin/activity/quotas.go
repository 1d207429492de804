package activity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gistdeal"
)

// Quotas returns the quotas and backoffs of both remotes as the leader last
// recorded them, a few seconds ago while it runs. A database that cannot be used now is
// among them, although nobody could record that.
func (a *Activity) Quotas(ctx context.Context) (l gistdeal.Quotas, err error) {
	l.Quotas = []gistdeal.Quota{} // An empty list, not null, before any is known.
	text, err := a.db.Setting(ctx, gistdeal.KeyQuotas)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		return l, fmt.Errorf("read the quotas: %w", err)
	}
	if fault, ok := errors.AsType[*gistdeal.Error](a.db.Ping(ctx)); ok && errors.Is(fault, gistdeal.ErrDatabase) {
		l.Database = gistdeal.Backoff{Stage: "ping", Kind: fault.Kind.String(), Reason: fault.Error()}
	}
	return l, nil
}
