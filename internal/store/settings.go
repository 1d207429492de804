package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// Setting returns what was set under name, "" if nothing was.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// Set keeps value under name.
func (s *Store) Set(ctx context.Context, name, value string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, clean(value))
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}

// LastOutcome returns when, on Pipedrive's clock, the newest attempt began
// whose outcome is known, zero if there is none.
func (s *Store) LastOutcome(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(remote_at), 0) FROM attempts WHERE outcome <> ''`).Scan(&ms)
	return fromMillis(ms), err
}

// SetToken keeps an API token under its name, by its hash; the same value
// twice changes nothing, a new one replaces it.
func (s *Store) SetToken(ctx context.Context, name, hash string, scope gistdeal.Scope, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO tokens (name, hash, scope, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, scope = excluded.scope, created_at = excluded.created_at
		WHERE tokens.hash <> excluded.hash`, name, hash, scope, millis(now))
	if err != nil {
		return fmt.Errorf("keep token %q: %w", name, err)
	}
	return nil
}

// Caller returns who sends the token with that hash; NotFound if there is none.
func (s *Store) Caller(ctx context.Context, hash string) (c gistdeal.Caller, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT name, scope FROM tokens WHERE hash = $1`, hash).Scan(&c.Name, &c.Scope)
	return c, notFound(err, "no such token")
}
