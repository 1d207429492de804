package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// countOrder records that an operator asked for something now that may end a backoff.
func countOrder(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO counters (name, value) VALUES ('orders', 1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + 1`)
	return err
}

// Orders returns how often operators have resumed pushes, changed the states of deals or
// requested an audit.
func (s *Store) Orders(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'orders'`).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return n, fmt.Errorf("read the number of orders: %w", err)
	}
	return n, nil
}
