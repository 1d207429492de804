package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// AddSession stores a log-in by the hash of its id, with the hash of its token. It
// deletes the log-ins that have ended.
func (s *Store) AddSession(ctx context.Context, hash, token string, now, expires time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= $1 OR NOT EXISTS (
			SELECT 1 FROM tokens t WHERE t.hash = token_hash OR (t.old_hash = token_hash AND t.old_valid_until > $1))`, millis(now)); err != nil {
			return nil, err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, token_hash, expires_at) VALUES ($1, $2, $3)`, hash, token, millis(expires))
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionLogIn}}, err
	})
	if err != nil {
		return fmt.Errorf("store a log-in: %w", err)
	}
	return nil
}

// SessionToken returns the hash of the token with which a log-in began; NotFound if
// there is none of that hash, or it has expired. The token may have been revoked.
func (s *Store) SessionToken(ctx context.Context, hash string, now time.Time) (token string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT token_hash FROM sessions WHERE hash = $1 AND expires_at > $2`, hash, millis(now)).Scan(&token)
	return token, notFound(err, "the log-in has ended")
}

// EndSession deletes a log-in, if it exists.
func (s *Store) EndSession(ctx context.Context, hash string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		ended, err := changed(tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash = $1`, hash))
		if ended {
			entries = []gistdeal.AuditEntry{{Action: gistdeal.ActionLogOut}}
		}
		return entries, err
	})
	if err != nil {
		return fmt.Errorf("end a log-in: %w", err)
	}
	return nil
}

// HasTokens reports whether there is a token.
func (s *Store) HasTokens(ctx context.Context) (exist bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM tokens)`).Scan(&exist)
	return exist, err
}
