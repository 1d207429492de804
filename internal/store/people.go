package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// People returns the people who signed in at an OpenID Connect provider, ordered by name.
func (s *Store) People(ctx context.Context, now time.Time) ([]gistdeal.KnownPerson, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT p.name, p.issuer, p.subject, p.signed_in_at, COUNT(s.hash), COALESCE(MAX(s.scope), '')
		FROM people p LEFT JOIN sessions s ON s.person = p.name AND s.expires_at > $1
		GROUP BY p.name, p.issuer, p.subject, p.signed_in_at ORDER BY p.name`, millis(now))
	return collect(rows, err, func(row *sql.Rows) (p gistdeal.KnownPerson, err error) {
		var at int64
		err = row.Scan(&p.Name, &p.Issuer, &p.Subject, &at, &p.LogIns, &p.Scope)
		p.SignedInAt = fromMillis(at)
		return p, err
	})
}

// SignOut ends all log-ins of a person. The error is NotFound if nobody of that name has
// signed in.
func (s *Store) SignOut(ctx context.Context, name string, now time.Time) error {
	return s.changePerson(ctx, name, gistdeal.ActionSignOut, now, `DELETE FROM sessions WHERE person = $1`)
}

// ForgetPerson deletes a person, with all log-ins, visits and idempotency keys, and the name
// in operations that have ended: the changes of the others, and a pause, still need their actor. The error
// is NotFound if nobody of that name has signed in.
func (s *Store) ForgetPerson(ctx context.Context, name string, now time.Time) error {
	return s.changePerson(ctx, name, gistdeal.ActionForgetPerson, now,
		`DELETE FROM sessions WHERE person = $1`, `DELETE FROM visits WHERE visitor = $1`, `DELETE FROM idempotency_keys WHERE caller = $1`,
		`UPDATE operations SET caller = '', address = '' WHERE caller = $1 AND ended_at > 0`, `DELETE FROM people WHERE name = $1`)
}

// changePerson runs the statements with the name of a person.
func (s *Store) changePerson(ctx context.Context, name string, action gistdeal.Action, now time.Time, statements ...string) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		var exists bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM people WHERE name = $1)`, name).Scan(&exists); err != nil {
			return nil, err
		}
		if !exists {
			return nil, gistdeal.Errorf(gistdeal.NotFound, "nobody named %q has signed in", name)
		}
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement, name); err != nil {
				return nil, err
			}
		}
		return []gistdeal.AuditEntry{{Action: action, Target: name}}, nil
	})
	if err != nil {
		return fmt.Errorf("person %q: %w", name, err)
	}
	return nil
}
