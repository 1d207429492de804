package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"
)

// deletedAtOnce is the number of rows that one transaction of a deletion looks at.
const deletedAtOnce = 500

// attemptKey is the place of an attempt in the order of the ends.
type attemptKey struct {
	endedAt int64
	gistID  string
	n       int
}

// DeleteAttempts deletes the attempts that ended before a time and that nothing needs any
// more: those at deals that were created, of which no attempt is in doubt or waits for its
// recheck. It remembers which deals are ours, and changes no number of a day. It yields the
// number of deleted attempts after each small transaction.
func (s *Store) DeleteAttempts(ctx context.Context, before time.Time) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for after, more := (attemptKey{}), true; more; {
			n := 0
			err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
				from := after
				if after, more, err = lastOfPart(ctx, tx, from, before); err != nil || after == from {
					return err
				}
				n, err = deletePart(ctx, tx, from, after)
				return err
			})
			if err != nil {
				yield(0, fmt.Errorf("delete old attempts: %w", err))
				return
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// lastOfPart returns the last of the attempts after the given one, and before a time, that a
// transaction looks at. more says whether others may follow.
func lastOfPart(ctx context.Context, tx *sql.Tx, after attemptKey, before time.Time) (last attemptKey, more bool, err error) {
	last = after
	rows, err := queryIn(ctx, tx, `SELECT ended_at, gist_id, n FROM attempts
		WHERE ended_at >= $1 AND ended_at > 0 AND ended_at < $4 AND (ended_at, gist_id, n) > ($1, $2, $3)
		ORDER BY ended_at, gist_id, n LIMIT $5`, after.endedAt, after.gistID, after.n, millis(before), deletedAtOnce)
	part, err := collect(rows, err, func(row *sql.Rows) (k attemptKey, err error) { return k, row.Scan(&k.endedAt, &k.gistID, &k.n) })
	if len(part) > 0 {
		last = part[len(part)-1]
	}
	return last, len(part) == deletedAtOnce, err
}

// deletePart deletes those of the attempts between two, the first excluded, that nothing
// needs any more.
func deletePart(ctx context.Context, tx *sql.Tx, from, to attemptKey) (int, error) {
	type gone struct{ day, ours int64 }
	rows, err := queryIn(ctx, tx, `DELETE FROM attempts WHERE ended_at >= $1 AND ended_at > 0 AND ended_at <= $4
			AND (ended_at, gist_id, n) > ($1, $2, $3) AND (ended_at, gist_id, n) <= ($4, $5, $6)
			AND EXISTS (SELECT 1 FROM deals d WHERE d.gist_id = attempts.gist_id AND d.state = 'created')
			AND NOT EXISTS (SELECT 1 FROM attempts other WHERE other.gist_id = attempts.gist_id AND (other.outcome = '' OR other.outcome = 'not_found' AND other.checked_at = 0))
		RETURNING ended_at / 86400000, CASE WHEN outcome IN ('created', 'adopted') THEN deal_id ELSE 0 END`,
		from.endedAt, from.gistID, from.n, to.endedAt, to.gistID, to.n)
	deleted, err := collect(rows, err, func(row *sql.Rows) (g gone, err error) { return g, row.Scan(&g.day, &g.ours) })
	if err != nil {
		return 0, err
	}
	var ids []int64
	days := map[string]int{}
	for _, g := range deleted {
		if g.ours != 0 {
			ids = append(ids, g.ours)
			days[fmt.Sprint(g.day)]++
		}
	}
	return len(deleted), rememberDeals(ctx, tx, ids, days)
}

// rememberDeals records the ids of deals that we created, and gives the days back the
// numbers of deals that the triggers have taken.
func rememberDeals(ctx context.Context, tx *sql.Tx, ids []int64, days map[string]int) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO own_deals (deal_id) SELECT CAST(key AS BIGINT) FROM json_each($1) WHERE true ON CONFLICT (deal_id) DO NOTHING`, idKeys(ids)); err != nil {
		return err
	}
	for day, n := range days {
		if _, err := tx.ExecContext(ctx, `INSERT INTO days (day, gists, deals) VALUES ($1, 0, $2) ON CONFLICT (day, part) DO UPDATE SET deals = days.deals + excluded.deals`, day, n); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRuns deletes the runs that ended before a time, and yields the number of deleted runs
// after each small transaction.
func (s *Store) DeleteRuns(ctx context.Context, before time.Time) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for n := int64(deletedAtOnce); n == deletedAtOnce; {
			r, err := s.db.ExecContext(ctx, `DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE ended_at > 0 AND ended_at < $1 ORDER BY id LIMIT $2)`, millis(before), deletedAtOnce)
			if err == nil {
				n, err = r.RowsAffected()
			}
			if err != nil {
				yield(0, fmt.Errorf("delete old runs: %w", err))
				return
			}
			if !yield(int(n), nil) {
				return
			}
		}
	}
}

// Rows returns the number of rows of a table of the history.
func (s *Store) Rows(ctx context.Context, table string) (n int64, err error) {
	if err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		err = fmt.Errorf("count the rows of %s: %w", table, err)
	}
	return n, err
}
