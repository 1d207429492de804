package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"gistdeal"
)

// TrackProbed tracks the account of a probe as Track does. If the probe is complete, it is the
// first scan of a new user: its gists and deals are stored in the same transaction, so that the
// user is never due before first.Next. A scan is left to read the others: gists that the probe
// lacks, what became of those of a user that was tracked before, and the decisions about a user
// that got tags meanwhile.
func (s *Store) TrackProbed(ctx context.Context, p gistdeal.Probe, policy gistdeal.Backfill, first gistdeal.FirstScan, now time.Time) (t gistdeal.TakenIn, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		t = gistdeal.TakenIn{}
		if t.User, err = s.track(ctx, tx, p.Account, policy, now); err != nil {
			return err
		}
		if p.PublicGists == 0 {
			_, err := recordProbes(ctx, tx, []gistdeal.Probe{p}, now, func() time.Time { return first.Next })
			return err
		}
		if p.Complete {
			return takeIn(ctx, tx, &t, p, first, now)
		}
		return nil
	})
	return t, trackError(p.Account, err)
}

// takeIn stores the gists of a complete probe and records the first scan of their user.
func takeIn(ctx context.Context, tx *sql.Tx, t *gistdeal.TakenIn, p gistdeal.Probe, first gistdeal.FirstScan, now time.Time) error {
	known := false
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM gists WHERE user_id = $1)`, p.ID).Scan(&known); err != nil {
		return err
	}
	if known || !t.User.LastScanAt.IsZero() || t.User.State != gistdeal.UserActive || t.User.Failures > 0 || !slices.Equal(t.User.Tags, first.Tags) {
		return nil
	}
	policy := first.Policy(t.User)
	policy.Total = len(p.Gists)
	var err error
	if t.Queued, err = saveGists(ctx, tx, p.ID, p.Gists, policy, now); err != nil {
		return err
	}
	queued, awaiting, err := queueScanned(ctx, tx, p.ID, first.Limits, now)
	if err != nil {
		return err
	}
	if queued+awaiting > 0 { // All of them awaited the end of the scan.
		t.Queued, t.Awaiting = queued, awaiting
	}
	_, err = tx.ExecContext(ctx, `UPDATE users SET last_scan_at = $1, full_scan_at = $1, next_scan_at = $2, pages = 1, unlinked = 1, etag = '', problem = '' WHERE id = $3`,
		millis(now), millis(first.Next), p.ID)
	t.User.LastScanAt, t.User.NextScanAt, t.User.Unlinked = now, first.Next, true
	return err
}
