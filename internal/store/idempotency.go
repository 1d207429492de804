package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

const (
	// keepAnswers is how long the answer to a request with a key is kept.
	keepAnswers = 24 * time.Hour
	// keepClaim is how long a request with a key may take. After that its process is gone.
	keepClaim = 5 * time.Minute
)

// ClaimKey claims an idempotency key of a caller for a request, and returns the name of the
// claim: the given one, or that of an attempt whose process is gone. If the key belongs to an
// earlier request, it returns "" and what is known of that one.
func (s *Store) ClaimKey(ctx context.Context, k gistdeal.IdempotencyKey, name string, now time.Time) (claim string, earlier gistdeal.IdempotentAnswer, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE at < $1`, millis(now.Add(-keepAnswers))); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO idempotency_keys (caller, key, request, claim, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (caller, key) DO UPDATE SET at = excluded.at
			WHERE idempotency_keys.status = 0 AND idempotency_keys.at < $6 AND idempotency_keys.request = excluded.request RETURNING claim`,
			k.Caller, k.Key, k.Request, name, millis(now), millis(now.Add(-keepClaim))).Scan(&claim)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT request, status, location, answer FROM idempotency_keys WHERE caller = $1 AND key = $2`, k.Caller, k.Key).
			Scan(&earlier.Request, &earlier.Status, &earlier.Location, &earlier.Body)
	})
	if err != nil {
		return "", earlier, fmt.Errorf("claim an idempotency key: %w", err)
	}
	return claim, earlier, nil
}

// EndKey stores the answer to the request that claimed a key, or gives the key back if the
// status is 0.
func (s *Store) EndKey(ctx context.Context, k gistdeal.IdempotencyKey, claim string, a gistdeal.IdempotentAnswer) error {
	var err error
	if a.Status == 0 {
		_, err = s.db.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE caller = $1 AND key = $2 AND claim = $3 AND status = 0`, k.Caller, k.Key, claim)
	} else {
		_, err = s.db.ExecContext(ctx, `UPDATE idempotency_keys SET status = $1, location = $2, answer = $3 WHERE caller = $4 AND key = $5 AND claim = $6 AND status = 0`,
			a.Status, a.Location, a.Body, k.Caller, k.Key, claim)
	}
	if err != nil {
		return fmt.Errorf("store the answer of an idempotency key: %w", err)
	}
	return nil
}

// DeleteKeys deletes the answers that are older than 24 hours.
func (s *Store) DeleteKeys(ctx context.Context, now time.Time) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE at < $1`, millis(now.Add(-keepAnswers))); err != nil {
		return fmt.Errorf("delete old idempotency keys: %w", err)
	}
	return nil
}
