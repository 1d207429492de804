package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

const (
	// waitingForScan is the problem of a deal that awaits the end of its scan.
	waitingForScan = "waiting for the end of the scan"
	// waits is the condition for such deals. They have an index, because there are none
	// almost always.
	waits = `state = 'awaiting_approval' AND problem = '` + waitingForScan + `'`
	// ofUser selects the gists of the user $1.
	ofUser = `SELECT id FROM gists WHERE user_id = $1`
)

// QueueScanned queues the deals of a user that await the end of the scan. Those over the
// limits await approval instead; it returns both numbers.
func (s *Store) QueueScanned(ctx context.Context, userID int64, limits gistdeal.ApprovalLimits, now time.Time) (queued, awaiting int, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		queued, awaiting, err = queueScanned(ctx, tx, userID, limits, now)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("queue the deals of user %d after a scan: %w", userID, err)
	}
	return queued, awaiting, nil
}

// queueScanned is QueueScanned in a transaction.
func queueScanned(ctx context.Context, tx *sql.Tx, userID int64, limits gistdeal.ApprovalLimits, now time.Time) (queued, awaiting int, err error) {
	b, err := batchOf(ctx, tx, userID, now)
	if err != nil || b.deals == 0 {
		return 0, 0, err
	}
	var problem string
	queued, problem = b.allowed(limits)
	awaiting = b.deals - queued
	h, err := heads(ctx, tx)
	if err != nil {
		return 0, 0, err
	}
	// The outer condition is tested again if another transaction changed a deal meanwhile, the
	// inner one is not: without it, PostgreSQL queued a deal that was being sent.
	r, err := tx.ExecContext(ctx, `UPDATE deals SET state = 'queued', problem = '', queued_at = $2, updated_at = $2, catch_up = backfill, turn = `+h.turn()+` WHERE `+waits+` AND gist_id IN
		(SELECT gist_id FROM deals WHERE `+waits+` AND gist_id IN (`+ofUser+`) ORDER BY priority, place, gist_id LIMIT $3)`, userID, millis(now), queued)
	if err != nil {
		return 0, 0, err
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE deals SET problem = $2, updated_at = $3 WHERE `+waits+` AND gist_id IN (`+ofUser+`)`, userID, problem, millis(now))
	return int(n), awaiting, err
}

// batch is the number of a user's deals that await the end of a scan, and of those that
// were queued within the last 24 hours.
type batch struct {
	deals, backfill int
	recent          int // without those that await approval
	recentBackfill  int
}

func batchOf(ctx context.Context, tx *sql.Tx, userID int64, now time.Time) (b batch, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(backfill), 0) FROM deals WHERE `+waits+` AND gist_id IN (`+ofUser+`)`,
		userID).Scan(&b.deals, &b.backfill); err != nil || b.deals == 0 {
		return b, err
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(d.backfill), 0) FROM gists g JOIN deals d ON d.gist_id = g.id
		WHERE g.user_id = $1 AND g.noticed_at > $2 AND d.state NOT IN ('awaiting_approval', 'skipped')`,
		userID, millis(now.Add(-24*time.Hour))).Scan(&b.recent, &b.recentBackfill)
	return b, err
}

// allowed returns how many deals of the batch may be queued without approval, and why the
// others may not. A backfill does not count as a part of a later day, because its first
// scan was below the threshold or approved.
func (b batch) allowed(limits gistdeal.ApprovalLimits) (n int, problem string) {
	const named = "more than GISTDEAL_APPROVAL_THRESHOLD"
	first := b.backfill > 0
	day := b.recent - b.recentBackfill + b.deals
	switch t := limits.Threshold; {
	case t > 0 && first && b.deals > t:
		return 0, fmt.Sprintf("awaiting approval: the first scan found %d gists, %s (%d)", b.deals, named, t)
	case t > 0 && !first && b.deals > t:
		return 0, fmt.Sprintf("awaiting approval: a scan found %d new gists, %s (%d)", b.deals, named, t)
	case t > 0 && !first && day > t:
		return 0, fmt.Sprintf("awaiting approval: the user had %d new gists within 24 hours, %s (%d)", day, named, t)
	}
	if limits.Daily == 0 {
		return b.deals, ""
	}
	return min(b.deals, max(limits.Daily-b.recent, 0)), fmt.Sprintf("awaiting approval: the user had %d new gists within 24 hours, more than GISTDEAL_DAILY_LIMIT (%d)", b.recent+b.deals, limits.Daily)
}
