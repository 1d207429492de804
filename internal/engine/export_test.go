package engine

import (
	"context"

	"gistdeal"
)

// ScanDue scans users as a sweep does and reports whether a scan failed.
func (e *Engine) ScanDue(ctx context.Context, users ...gistdeal.User) (failed bool) {
	return e.scanner.ScanDue(ctx, nil, users)
}
