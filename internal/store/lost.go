package store

import (
	"context"
	"database/sql"
	"sync"

	"gistdeal"
)

// sequence notices a database that has lost commits. Each change that the next push
// depends on raises a counter in the database, and must raise it above the last value
// that was acknowledged. Lost commits are always the last ones, so this one counter
// speaks for all tables.
type sequence struct {
	mu    sync.Mutex
	acked int64
}

// reset accepts the present state of the database.
func (q *sequence) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.acked = 0
}

// ack notes a value that was committed.
func (q *sequence) ack(value int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.acked = max(q.acked, value)
}

// last returns the highest value that was acknowledged.
func (q *sequence) last() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.acked
}

// pushTx is tx for a change that the next push depends on. It returns
// gistdeal.ErrCommitsLost, and changes nothing, if the database is older than the last
// such change.
func (s *Store) pushTx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	var value int64
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		last := s.pushes.last()
		err := tx.QueryRowContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'push_seq' RETURNING value`).Scan(&value)
		if err != nil {
			return err
		}
		if value <= last {
			return gistdeal.ErrCommitsLost
		}
		return f(ctx, tx)
	})
	if err == nil {
		s.pushes.ack(value)
	}
	return err
}
