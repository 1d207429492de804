package activity

import (
	"context"
	"iter"

	"gistdeal"
)

// AuditLog returns up to limit entries of the audit log that f means, from the number before
// (0: from the last), the last one first.
func (a *Activity) AuditLog(ctx context.Context, f gistdeal.AuditFilter, before int64, limit int) ([]gistdeal.AuditEntry, error) {
	return a.db.AuditLog(ctx, f, before, limit)
}

// AllAuditLog yields the pages of all entries that f means, the last entry first.
func (a *Activity) AllAuditLog(ctx context.Context, f gistdeal.AuditFilter) iter.Seq2[[]gistdeal.AuditEntry, error] {
	return func(yield func([]gistdeal.AuditEntry, error) bool) {
		for before := int64(0); ; {
			entries, err := a.db.AuditLog(ctx, f, before, page)
			if (len(entries) > 0 || err != nil) && !yield(entries, err) || len(entries) < page {
				return
			}
			before = entries[page-1].ID
		}
	}
}
