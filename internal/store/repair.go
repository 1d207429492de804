package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// Relink replaces the deal from of a gist, which no longer exists, with the deal to. It
// reports false and changes nothing if the gist does not have the deal from, or if another
// gist has the deal to.
func (s *Store) Relink(ctx context.Context, gistID string, from, to int64, now time.Time) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE deals SET deal_id = $1, updated_at = $4 WHERE gist_id = $2 AND state = 'created' AND deal_id = $3
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, to, gistID, from, millis(now)))
		if err != nil || !ok {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM duplicate_deals WHERE deal_id = $1`, to)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("link gist %s to deal %d: %w", gistID, to, err)
	}
	return ok, nil
}

// Queue queues the deals of gists that are failed or have no row. It returns the gists whose
// deals it queued.
func (s *Store) Queue(ctx context.Context, gistIDs []string, now time.Time) (queued []string, err error) {
	object, err := keys(gistIDs)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		h, err := heads(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := queryIn(ctx, tx, `INSERT INTO deals (gist_id, state, queued_at, catch_up, turn, created_at, updated_at)
			SELECT id, 'queued', $1, 1, $2, $1, $1 FROM gists WHERE id IN (SELECT key FROM json_each($3))
			ON CONFLICT (gist_id) DO UPDATE SET state = 'queued', problem = '', queued_at = excluded.queued_at, updated_at = excluded.updated_at, backfill = 0, priority = 1, catch_up = 1, turn = excluded.turn
			WHERE deals.state = 'failed' RETURNING gist_id`, millis(now), h[0][1], object)
		queued, err = collect(rows, err, scanID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("queue %d gists: %w", len(gistIDs), err)
	}
	return queued, nil
}

// Recreate queues the deal of a gist again, at an operator's request, because the deal
// dealID is gone from Pipedrive. The deal dealID is never adopted again. No other method
// changes the state of a created deal. Recreate reports whether the gist had the deal
// dealID.
func (s *Store) Recreate(ctx context.Context, gistID string, dealID int64, now time.Time) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		h, err := heads(ctx, tx)
		if err != nil {
			return err
		}
		ok, err = changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'queued', deal_id = NULL, problem = '', queued_at = $1, updated_at = $1, backfill = 0, priority = 1, turn = $2
			WHERE gist_id = $3 AND state = 'created' AND deal_id = $4`, millis(now), h[0][1], gistID, dealID))
		if err != nil || !ok {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO replaced_deals (deal_id, gist_id, at) VALUES ($1, $2, $3) ON CONFLICT (deal_id) DO NOTHING`,
			dealID, gistID, millis(now))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("recreate the deal of gist %s: %w", gistID, err)
	}
	return ok, nil
}

// ReplacedDeals returns the deals that Recreate replaced. They belong to no gist any
// more.
func (s *Store) ReplacedDeals(ctx context.Context) (map[int64]bool, error) {
	ids, err := s.dealIDs(ctx, `SELECT deal_id FROM replaced_deals`)
	replaced := make(map[int64]bool, len(ids))
	for _, id := range ids {
		replaced[id] = true
	}
	return replaced, err
}

// DuplicateDeals returns up to limit duplicate deals, ordered by id, starting after the id
// after.
func (s *Store) DuplicateDeals(ctx context.Context, after int64, limit int) ([]gistdeal.DuplicateDeal, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT s.deal_id, s.gist_id, coalesce(u.login, ''), s.noticed_at
		FROM duplicate_deals s LEFT JOIN gists g ON g.id = s.gist_id LEFT JOIN users u ON u.id = g.user_id
		WHERE s.deal_id > $1 ORDER BY s.deal_id LIMIT $2`, after, limit)
	return collect(rows, err, func(row *sql.Rows) (d gistdeal.DuplicateDeal, err error) {
		var noticed int64
		err = row.Scan(&d.DealID, &d.GistID, &d.Login, &noticed)
		d.NoticedAt = fromMillis(noticed)
		return d, err
	})
}

// ReplaceDuplicates records the duplicate deals among the given living deals of gists, and
// forgets all others. living needs only gists with several.
func (s *Store) ReplaceDuplicates(ctx context.Context, living map[string][]int64, now time.Time) error {
	object, err := livingObject(living)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM duplicate_deals WHERE NOT `+isLiving("$1")+`
			OR NOT EXISTS (SELECT 1 FROM deals WHERE deals.gist_id = duplicate_deals.gist_id AND `+isLiving("$1")+`)`, object)
		if err != nil {
			return err
		}
		return addDuplicates(ctx, tx, living, now)
	})
	if err != nil {
		return fmt.Errorf("record duplicate deals: %w", err)
	}
	return nil
}

func (s *Store) dealIDs(ctx context.Context, query string) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, query)
	return collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
}

// DuplicateOf returns the gist of a duplicate deal; NotFound if the deal is not recorded as
// a duplicate.
func (s *Store) DuplicateOf(ctx context.Context, dealID int64) (gistID string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT gist_id FROM duplicate_deals WHERE deal_id = $1
		AND NOT EXISTS (SELECT 1 FROM deals WHERE deals.deal_id = duplicate_deals.deal_id)`, dealID).Scan(&gistID)
	return gistID, notFound(err, "deal %d is not recorded as a duplicate: only duplicate deals can be deleted", dealID)
}

// ForgetDuplicate deletes the record of a duplicate deal that Pipedrive no longer has.
func (s *Store) ForgetDuplicate(ctx context.Context, dealID int64) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM duplicate_deals WHERE deal_id = $1`, dealID); err != nil {
		return fmt.Errorf("forget duplicate deal %d: %w", dealID, err)
	}
	return nil
}

// ResentGists returns the gists with an attempt that ended before then because lookups did
// not find its deal, and that was not checked again since. The deal was sent again after
// it. The time since is the start of the earliest such attempt, on Pipedrive's clock.
func (s *Store) ResentGists(ctx context.Context, then time.Time) (gists []string, since time.Time, err error) {
	var earliest int64
	rows, err := s.db.QueryContext(ctx, `SELECT gist_id, min(remote_at) FROM attempts
		WHERE outcome = 'not_found' AND checked_at = 0 AND ended_at <= $1 GROUP BY gist_id ORDER BY gist_id`, millis(then))
	gists, err = collect(rows, err, func(row *sql.Rows) (gistID string, err error) {
		var at int64
		err = row.Scan(&gistID, &at)
		if earliest == 0 || at < earliest {
			earliest = at
		}
		return gistID, err
	})
	return gists, fromMillis(earliest), err
}

// MarkRechecked records that the gists that ResentGists returned for then were checked.
func (s *Store) MarkRechecked(ctx context.Context, gists []string, then, now time.Time) error {
	object, err := keys(gists)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE attempts SET checked_at = $1
		WHERE outcome = 'not_found' AND checked_at = 0 AND ended_at <= $2 AND gist_id IN (SELECT key FROM json_each($3))`,
		millis(now), millis(then), object)
	return err
}
