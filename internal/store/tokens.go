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
		err := tx.QueryRowContext(ctx, `SELECT name FROM tokens WHERE (hash = $1 OR old_hash = $1) AND name <> $2`, hash, name).Scan(&other)
		if err == nil {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "the token %q has the same value: choose another value, or revoke that token", other)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		set, err := changed(tx.ExecContext(ctx, `INSERT INTO tokens (name, hash, scope, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, scope = excluded.scope, created_at = excluded.created_at, last_used_at = 0, last_used_from = ''
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
func (s *Store) AddToken(ctx context.Context, t gistdeal.Token, hash string) error {
	ok := false
	err := s.personTx(ctx, t.CreatedAt, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		ok, err = changed(tx.ExecContext(ctx, `INSERT INTO tokens (name, hash, scope, created_at, expires_at, rate) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (name) DO NOTHING`, t.Name, hash, t.Scope, millis(t.CreatedAt), millis(t.ExpiresAt), t.Rate))
		if ok {
			entries = []gistdeal.AuditEntry{{Action: gistdeal.ActionAddToken, Target: t.Name, After: string(t.Scope)}}
		}
		return entries, err
	})
	if err != nil {
		return fmt.Errorf("add token %q: %w", t.Name, err)
	}
	if !ok {
		return gistdeal.Errorf(gistdeal.Conflict, "token %q already exists: revoke it first, or choose another name", t.Name)
	}
	return nil
}

// RotateToken gives a token a new value. The value that it had stays valid for the
// overlap; one from an earlier rotation ends now. The error is NotFound if there is no
// such token, and Invalid if the token has expired and keeps its expiry.
func (s *Store) RotateToken(ctx context.Context, name string, r gistdeal.Rotation, now time.Time) (t gistdeal.Token, err error) {
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		var hash string
		row := tx.QueryRowContext(ctx, `SELECT `+tokenColumns+`, hash FROM tokens WHERE name = $1`, name)
		if t, err = scanToken(row, &hash); err != nil {
			return nil, notFound(err, "token %q does not exist", name)
		}
		if t, err = r.Of(t, now); err != nil {
			return nil, err
		}
		old := sql.NullString{String: hash, Valid: !t.OldValidUntil.IsZero()}
		ok, err := changed(tx.ExecContext(ctx, `UPDATE tokens SET hash = $1, expires_at = $2, old_hash = $3, old_valid_until = $4, old_used_at = 0
			WHERE name = $5 AND hash = $6`, r.Hash, millis(t.ExpiresAt), old, millis(t.OldValidUntil), name, hash))
		if err == nil && !ok {
			return nil, gistdeal.Errorf(gistdeal.Temporary, "another rotation of the token came first")
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionRotateToken, Target: name}}, err
	})
	if err != nil {
		return t, fmt.Errorf("rotate token %q: %w", name, err)
	}
	return t, nil
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

const tokenColumns = `name, scope, created_at, expires_at, rate, last_used_at, last_used_from, old_valid_until, old_used_at`

// scanToken reads tokenColumns, and more columns behind them.
func scanToken(row interface{ Scan(...any) error }, more ...any) (t gistdeal.Token, err error) {
	var created, expires, used, oldUntil, oldUsed int64
	err = row.Scan(append([]any{&t.Name, &t.Scope, &created, &expires, &t.Rate, &used, &t.LastUsedFrom, &oldUntil, &oldUsed}, more...)...)
	t.CreatedAt, t.ExpiresAt, t.LastUsedAt = fromMillis(created), fromMillis(expires), fromMillis(used)
	t.OldValidUntil, t.OldUsedAt = fromMillis(oldUntil), fromMillis(oldUsed)
	return t, err
}

// Tokens returns all tokens, ordered by name.
func (s *Store) Tokens(ctx context.Context, now time.Time) ([]gistdeal.Token, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+tokenColumns+` FROM tokens ORDER BY name`)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.Token, error) {
		t, err := scanToken(row)
		if !t.OldValidUntil.After(now) {
			t.OldValidUntil, t.OldUsedAt = time.Time{}, time.Time{}
		}
		return t, err
	})
}

// TokenOf returns the token with a value of that hash, which may have expired. The value
// from before a rotation counts until its overlap ends. The error is NotFound if no token
// has the value.
func (s *Store) TokenOf(ctx context.Context, hash string, now time.Time) (gistdeal.Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens
		WHERE hash = $1 OR (old_hash = $1 AND old_valid_until > $2)`, hash, millis(now)))
	return t, notFound(err, "no token has this value")
}

// UseToken records that a client used the token with a value of that hash, unless a use
// within the last minute is recorded. So several instances write no more than one.
func (s *Store) UseToken(ctx context.Context, hash, client string, now time.Time) error {
	at, before := millis(now), millis(now.Add(-recordUseAfter))
	_, err := s.db.ExecContext(ctx, `UPDATE tokens SET last_used_at = $1, last_used_from = $2,
			old_used_at = CASE WHEN old_hash = $3 THEN $1 ELSE old_used_at END
		WHERE (hash = $3 AND last_used_at <= $4) OR (old_hash = $3 AND (old_used_at <= $4 OR last_used_at <= $4))`,
		at, client, hash, before)
	if err != nil {
		return fmt.Errorf("record the use of a token: %w", err)
	}
	return nil
}
