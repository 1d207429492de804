package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// Relink replaces the deal from of a gist, which no longer exists, with the deal to. It
// reports whether the gist had the deal from and no gist had the deal to.
func (s *Store) Relink(ctx context.Context, gistID string, from, to int64) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE deals SET deal_id = $1 WHERE gist_id = $2 AND state = 'created' AND deal_id = $3
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, to, gistID, from))
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

// Queue makes the deal of a gist that never had one wait for its turn: one that
// was refused, or one without a row. It reports whether it did.
func (s *Store) Queue(ctx context.Context, gistID string, now time.Time) (bool, error) {
	ok, err := changed(s.db.ExecContext(ctx, `INSERT INTO deals (gist_id, state, queued_at) SELECT id, 'queued', $1 FROM gists WHERE id = $2
		ON CONFLICT (gist_id) DO UPDATE SET state = 'queued', problem = '', queued_at = excluded.queued_at WHERE deals.state = 'failed'`,
		millis(now), gistID))
	if err != nil {
		return false, fmt.Errorf("queue gist %s: %w", gistID, err)
	}
	return ok, nil
}

// Recreate makes the deal of a gist wait for its turn once more, because a
// person wants it and its deal dealID is gone; that one is never taken for the
// gist's again. It is the only way out of made. It reports whether the gist had
// that deal.
func (s *Store) Recreate(ctx context.Context, gistID string, dealID int64, now time.Time) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'queued', deal_id = NULL, problem = '', queued_at = $1
			WHERE gist_id = $2 AND state = 'created' AND deal_id = $3`, millis(now), gistID, dealID))
		if err != nil || !ok {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO replaced_deals (deal_id, gist_id, at) VALUES ($1, $2, $3) ON CONFLICT (deal_id) DO NOTHING`,
			dealID, gistID, millis(now))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("make the deal of gist %s again: %w", gistID, err)
	}
	return ok, nil
}

// ReplacedDeals returns the deals that are no gist's any more, because a person
// wanted others made instead.
func (s *Store) ReplacedDeals(ctx context.Context) (map[int64]bool, error) {
	ids, err := s.dealIDs(ctx, `SELECT deal_id FROM replaced_deals`)
	replaced := make(map[int64]bool, len(ids))
	for _, id := range ids {
		replaced[id] = true
	}
	return replaced, err
}

// DuplicateDeals returns up to limit of those deals from the one that follows the
// id after, by id.
func (s *Store) DuplicateDeals(ctx context.Context, after int64, limit int) ([]gistdeal.DuplicateDeal, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT s.deal_id, s.gist_id, coalesce(u.login, ''), s.noticed_at
		FROM duplicate_deals s LEFT JOIN gists g ON g.id = s.gist_id LEFT JOIN users u ON u.id = g.user_id
		WHERE s.deal_id > $1 ORDER BY s.deal_id LIMIT $2`, after, limit)
	return collect(rows, err, func(row *sql.Rows) (one gistdeal.DuplicateDeal, err error) {
		var noticed int64
		err = row.Scan(&one.DealID, &one.GistID, &one.Login, &noticed)
		one.NoticedAt = fromMillis(noticed)
		return one, err
	})
}

// AddDuplicates records those of the given deals, by gist, that are not the one
// that their gist is known to have.
func (s *Store) AddDuplicates(ctx context.Context, deals map[string][]int64, now time.Time) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return addDuplicates(ctx, tx, deals, now) })
	if err != nil {
		return fmt.Errorf("record surplus deals: %w", err)
	}
	return nil
}

// ReplaceDuplicates forgets the surplus deals that are not alive, and records those
// of the given deals, by gist, that are not the one that their gist is known to
// have.
func (s *Store) ReplaceDuplicates(ctx context.Context, alive map[int64]bool, duplicates map[string][]int64, now time.Time) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := queryIn(ctx, tx, `SELECT deal_id FROM duplicate_deals ORDER BY deal_id`)
		known, err := collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
		if err != nil {
			return err
		}
		for _, id := range known {
			if alive[id] {
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM duplicate_deals WHERE deal_id = $1`, id); err != nil {
				return err
			}
		}
		return addDuplicates(ctx, tx, duplicates, now)
	})
	if err != nil {
		return fmt.Errorf("record surplus deals: %w", err)
	}
	return nil
}

func (s *Store) dealIDs(ctx context.Context, query string) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, query)
	return collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
}

// DuplicateOf returns the gist that a surplus deal is of; NotFound if the deal is
// not known as surplus.
func (s *Store) DuplicateOf(ctx context.Context, dealID int64) (gistID string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT gist_id FROM duplicate_deals WHERE deal_id = $1
		AND NOT EXISTS (SELECT 1 FROM deals WHERE deals.deal_id = duplicate_deals.deal_id)`, dealID).Scan(&gistID)
	return gistID, notFound(err, "deal %d is not known as the second deal of a gist: only such a deal is deleted", dealID)
}

// ForgetDuplicate forgets a surplus deal that Pipedrive no longer has.
func (s *Store) ForgetDuplicate(ctx context.Context, dealID int64) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM duplicate_deals WHERE deal_id = $1`, dealID); err != nil {
		return fmt.Errorf("forget surplus deal %d: %w", dealID, err)
	}
	return nil
}

// ResentGists returns the gists to which a second request was sent because the
// first was taken for absent, before then, and that nobody has looked at since;
// and when on Pipedrive's clock the earliest of those first requests began.
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

// MarkRechecked records that these gists, which ResentGists returned for then, were looked at.
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
