package activity

import (
	"context"

	"gistdeal"
)

// Runs returns up to limit of the runs that f means from before the number
// before (0: from the last), the last first.
func (a *Activity) Runs(ctx context.Context, f gistdeal.RunFilter, before int64, limit int) ([]gistdeal.Run, error) {
	return a.db.Runs(ctx, f, before, limit)
}
