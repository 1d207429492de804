package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// Setting returns the value of the setting with that name, "" if it has none.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// Set stores the value of a setting.
func (s *Store) Set(ctx context.Context, name, value string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, clean(value))
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}

// ChangeSettings stores the values of several settings in one transaction. The value ""
// deletes a setting.
func (s *Store) ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for name, value := range values {
			if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, string(name)); err != nil {
				return err
			}
			if value == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, string(name), clean(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	return nil
}

// keyCaughtUp is the setting with the time of SetCaughtUpTo, in Unix milliseconds on
// Pipedrive's clock.
const keyCaughtUp = "caught_up_at"

// CaughtUpTo returns the time up to which the database knows all deals, on Pipedrive's
// clock. It is the time of the last SetCaughtUpTo or the start of the newest attempt with
// an outcome, whichever is later; zero if there is neither.
func (s *Store) CaughtUpTo(ctx context.Context) (time.Time, error) {
	var outcome int64
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(remote_at), 0) FROM attempts WHERE outcome <> ''`).Scan(&outcome)
	if err != nil {
		return time.Time{}, err
	}
	text, err := s.Setting(ctx, keyCaughtUp)
	if err != nil || text == "" {
		return fromMillis(outcome), err
	}
	caughtUp, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("setting %s: %w", keyCaughtUp, err)
	}
	return fromMillis(max(outcome, caughtUp)), nil
}

// SetCaughtUpTo records that the database knows all deals created before remote, a time on
// Pipedrive's clock.
func (s *Store) SetCaughtUpTo(ctx context.Context, remote time.Time) error {
	return s.Set(ctx, keyCaughtUp, strconv.FormatInt(millis(remote), 10))
}
