package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// Events returns up to limit ended attempts that follow the event after, ordered by end,
// gist id and number.
func (s *Store) Events(ctx context.Context, after gistdeal.Event, limit int) ([]gistdeal.Event, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT a.ended_at, a.gist_id, a.n, a.outcome, coalesce(a.deal_id, 0), a.reason, coalesce(u.login, '')
		FROM attempts a LEFT JOIN gists g ON g.id = a.gist_id LEFT JOIN users u ON u.id = g.user_id
		WHERE a.ended_at >= $1 AND a.ended_at > 0 AND (a.ended_at, a.gist_id, a.n) > ($1, $2, $3)
		ORDER BY a.ended_at, a.gist_id, a.n LIMIT $4`, millis(after.At), after.GistID, after.N, limit)
	return collect(rows, err, func(row *sql.Rows) (e gistdeal.Event, err error) {
		var at int64
		err = row.Scan(&at, &e.GistID, &e.N, &e.Outcome, &e.DealID, &e.Reason, &e.Login)
		e.At = fromMillis(at)
		return e, err
	})
}

// LastEventAt returns when the last attempt ended, zero if none has.
func (s *Store) LastEventAt(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.read.QueryRowContext(ctx, `SELECT coalesce(max(ended_at), 0) FROM attempts`).Scan(&ms)
	return fromMillis(ms), err
}

// Days returns the numbers of gists noticed and deals created or adopted on each UTC day,
// from that of since on, in order. It leaves out days without any.
func (s *Store) Days(ctx context.Context, since time.Time) ([]gistdeal.Day, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT day, CAST(sum(gists) AS BIGINT), CAST(sum(deals) AS BIGINT) FROM days WHERE day >= $1
		GROUP BY day HAVING sum(gists) <> 0 OR sum(deals) <> 0 ORDER BY day`, millis(since)/millisPerDay)
	return collect(rows, err, func(row *sql.Rows) (d gistdeal.Day, err error) {
		var day int64
		err = row.Scan(&day, &d.Gists, &d.Deals)
		d.Date = time.UnixMilli(day * millisPerDay).UTC().Format(time.DateOnly)
		return d, err
	})
}

const millisPerDay = 86_400_000

// Failures counts failed deals by problem, and returns up to limit problems, the most
// frequent first.
func (s *Store) Failures(ctx context.Context, limit int) ([]gistdeal.Failure, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT problem, count(*), min(gist_id) FROM deals WHERE state = 'failed'
		GROUP BY problem ORDER BY count(*) DESC, problem LIMIT $1`, limit)
	return collect(rows, err, func(row *sql.Rows) (f gistdeal.Failure, err error) {
		return f, row.Scan(&f.Problem, &f.Deals, &f.Example)
	})
}

// LastSeq returns the highest Seq of a user's gists, 0 if there are none.
func (s *Store) LastSeq(ctx context.Context, userID int64) (seq int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM gists WHERE user_id = $1`, userID).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("read the last gist of user %d: %w", userID, err)
	}
	return seq, nil
}
