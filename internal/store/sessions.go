package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// AddSession stores a log-in by the hash of its id, and deletes the log-ins that have
// ended. Earlier log-ins of a person end if their scope was another one.
func (s *Store) AddSession(ctx context.Context, hash string, one gistdeal.Session, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= $1 OR (token_hash <> '' AND NOT EXISTS (
			SELECT 1 FROM tokens t WHERE t.hash = token_hash OR (t.old_hash = token_hash AND t.old_valid_until > $1)))`, millis(now)); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE person <> '' AND person = $1 AND scope <> $2`, one.Person.Name, one.Person.Scope); err != nil {
			return nil, err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, token_hash, person, scope, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			hash, one.TokenHash, one.Person.Name, one.Person.Scope, millis(one.ExpiresAt))
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionLogIn}}, err
	})
	if err != nil {
		return fmt.Errorf("store a log-in: %w", err)
	}
	return nil
}

// maxSameName is how many people may have one name at the provider.
const maxSameName = 100

// SignedIn records the sign-in of a person, and returns the person with the name of the
// first sign-in. A name belongs to one person for ever, since visits and the audit log
// have it: another person with that address gets a number behind it.
func (s *Store) SignedIn(ctx context.Context, p gistdeal.Person, now time.Time) (gistdeal.Person, error) {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		p.Name, err = signIn(ctx, tx, p, now)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("record a sign-in: %w", err)
	}
	return p, nil
}

// signIn returns the name.
func signIn(ctx context.Context, tx *sql.Tx, p gistdeal.Person, now time.Time) (name string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE people SET signed_in_at = $1 WHERE issuer = $2 AND subject = $3 RETURNING name`, millis(now), p.Issuer, p.Subject).Scan(&name)
	if !errors.Is(err, sql.ErrNoRows) {
		return name, err
	}
	for n := 1; n <= maxSameName; n++ {
		if name = p.Name; n > 1 {
			name = fmt.Sprintf("%s#%d", p.Name, n)
		}
		ok, err := changed(tx.ExecContext(ctx, `INSERT INTO people (issuer, subject, name, signed_in_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO NOTHING`, p.Issuer, p.Subject, name, millis(now)))
		if err != nil || ok {
			return name, err
		}
	}
	return "", fmt.Errorf("more than %d people have the name %q", maxSameName, p.Name)
}

// Session returns the log-in of that hash; NotFound if there is none, or it has expired.
// Its token may have been revoked.
func (s *Store) Session(ctx context.Context, hash string, now time.Time) (one gistdeal.Session, err error) {
	var issuer, subject sql.NullString
	var expires int64
	err = s.read.QueryRowContext(ctx, `SELECT s.token_hash, s.person, s.scope, s.expires_at, p.issuer, p.subject
		FROM sessions s LEFT JOIN people p ON p.name = s.person WHERE s.hash = $1 AND s.expires_at > $2`, hash, millis(now)).
		Scan(&one.TokenHash, &one.Person.Name, &one.Person.Scope, &expires, &issuer, &subject)
	one.Person.Issuer, one.Person.Subject, one.ExpiresAt = issuer.String, subject.String, fromMillis(expires)
	return one, notFound(err, "the log-in has ended")
}

// EndSessionsOf deletes all log-ins of a person.
func (s *Store) EndSessionsOf(ctx context.Context, p gistdeal.Person) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE person IN (SELECT name FROM people WHERE issuer = $1 AND subject = $2)`, p.Issuer, p.Subject)
	if err != nil {
		return fmt.Errorf("end the log-ins of a person: %w", err)
	}
	return nil
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
