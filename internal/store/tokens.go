package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// recordUseAfter is the minimum time between two records of a token's use.
const recordUseAfter = time.Minute

// SetToken stores an API token by the hash of its value. It replaces a token with the same
// name and another value, and changes nothing if the value is the same. The error is
// Invalid if another token has the value.
func (s *Store) SetToken(ctx context.Context, name, hash string, scope gistdeal.Scope, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		var other string
		err := tx.QueryRowContext(ctx, `SELECT name FROM tokens WHERE hash = $1 AND name <> $2`, hash, name).Scan(&other)
		if err == nil {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "the token %q has the same value: choose another value, or revoke that token", other)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		set, err := changed(tx.ExecContext(ctx, `INSERT INTO tokens (name, hash, scope, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, scope = excluded.scope, created_at = excluded.created_at, last_used_at = 0
			WHERE tokens.hash <> excluded.hash`, name, hash, scope, millis(now)))
		if !set {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionChangeToken, Target: name, After: string(scope)}}, err
	})
	if err != nil {
		return fmt.Errorf("store token %q: %w", name, err)
	}
	return nil
}

// AddToken stores a new API token by the hash of its value. The error is a Conflict
// if the name is in use.
func (s *Store) AddToken(ctx context.Context, name, hash string, scope gistdeal.Scope, now time.Time) error {
	ok := false
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		ok, err = changed(tx.ExecContext(ctx, `INSERT INTO tokens (name, hash, scope, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO NOTHING`, name, hash, scope, millis(now)))
		if ok {
			entries = []gistdeal.AuditEntry{{Action: gistdeal.ActionAddToken, Target: name, After: string(scope)}}
		}
		return entries, err
	})
	if err != nil {
		return fmt.Errorf("add token %q: %w", name, err)
	}
	if !ok {
		return gistdeal.Errorf(gistdeal.Conflict, "token %q already exists: revoke it first, or choose another name", name)
	}
	return nil
}

// RevokeToken deletes a token, which is invalid at once. Its visits stay, for a later token
// with the same name. The error is NotFound if there is none.
func (s *Store) RevokeToken(ctx context.Context, name string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		e := gistdeal.AuditEntry{Action: gistdeal.ActionRevokeToken, Target: name}
		err := tx.QueryRowContext(ctx, `DELETE FROM tokens WHERE name = $1 RETURNING scope`, name).Scan(&e.Before)
		return []gistdeal.AuditEntry{e}, err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return gistdeal.Errorf(gistdeal.NotFound, "token %q does not exist", name)
	}
	if err != nil {
		return fmt.Errorf("revoke token %q: %w", name, err)
	}
	return nil
}

// Tokens returns all tokens, ordered by name.
func (s *Store) Tokens(ctx context.Context) ([]gistdeal.Token, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, scope, created_at, last_used_at FROM tokens ORDER BY name`)
	return collect(rows, err, func(row *sql.Rows) (t gistdeal.Token, err error) {
		var created, used int64
		err = row.Scan(&t.Name, &t.Scope, &created, &used)
		t.CreatedAt, t.LastUsedAt = fromMillis(created), fromMillis(used)
		return t, err
	})
}

// Caller returns the caller with the token of that hash; NotFound if there is none.
func (s *Store) Caller(ctx context.Context, hash string) (c gistdeal.Caller, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT name, scope FROM tokens WHERE hash = $1`, hash).Scan(&c.Name, &c.Scope)
	return c, notFound(err, "no token has this value")
}

// UseToken records that the token with that hash was used, unless a use within the last
// minute is recorded. So several instances write no more than one.
func (s *Store) UseToken(ctx context.Context, hash string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE tokens SET last_used_at = $1 WHERE hash = $2 AND last_used_at <= $3`,
		millis(now), hash, millis(now.Add(-recordUseAfter)))
	if err != nil {
		return fmt.Errorf("record the use of a token: %w", err)
	}
	return nil
}
