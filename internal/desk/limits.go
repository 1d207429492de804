package desk

import (
	"context"
	"encoding/json"
	"fmt"

	"gistdeal"
)

// Limits returns what the process that works knew of the remotes' limits when
// it last wrote that down, a few seconds ago while it runs.
func (d *Desk) Limits(ctx context.Context) (l gistdeal.Quotas, err error) {
	l.Budgets = []gistdeal.Budget{} // Before anything is known of them, too.
	if d.db == nil {
		return l, nil
	}
	text, err := d.db.Setting(ctx, gistdeal.SettingLimits)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &l)
	}
	if err != nil {
		return l, fmt.Errorf("read the limits: %w", err)
	}
	return l, nil
}
