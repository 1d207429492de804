package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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

// setSetting stores the value $2 of the setting $1.
const setSetting = `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// Set stores the value of a setting.
func (s *Store) Set(ctx context.Context, name, value string) error {
	_, err := s.db.ExecContext(ctx, setSetting, name, gistdeal.StorableText(value))
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}

// SetAll stores the values of several settings in one transaction.
func (s *Store) SetAll(ctx context.Context, values map[string]string) error {
	names := slices.Sorted(maps.Keys(values))
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, name := range names {
			if _, err := tx.ExecContext(ctx, setSetting, name, gistdeal.StorableText(values[name])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("set %s: %w", strings.Join(names, ", "), err)
	}
	return nil
}

// keySettingsVersion is the setting with the number of ChangeSettings.
const keySettingsVersion = "settings_version"

// SettingsVersion returns the version of all settings, for ChangeSettings.
func (s *Store) SettingsVersion(ctx context.Context) (string, error) {
	version, err := s.Setting(ctx, keySettingsVersion)
	return cmp.Or(version, "0"), err
}

// ChangeSettings stores the values of several settings in one transaction. The value ""
// deletes a setting. The error is a Conflict if the settings have changed since the
// version; "" is any version.
func (s *Store) ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string, version string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		if err := nextSettingsVersion(ctx, tx, version); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			before, err := changeSetting(ctx, tx, string(name), gistdeal.StorableText(values[name]))
			if err != nil {
				return nil, err
			}
			if before != values[name] {
				entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionChangeSetting, Target: string(name), Before: before, After: values[name]})
			}
		}
		return entries, nil
	})
	if err != nil {
		return fmt.Errorf("change settings: %w", err)
	}
	return nil
}

// nextSettingsVersion raises the version of all settings. The error is a Conflict if it
// is not the given one; "" is any version.
func nextSettingsVersion(ctx context.Context, tx *sql.Tx, version string) error {
	ok, err := changed(tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT) WHERE $2 = '' OR settings.value = $2`, keySettingsVersion, version))
	if err == nil && !ok {
		return gistdeal.Errorf(gistdeal.Conflict, "the settings have changed meanwhile: read them again")
	}
	return err
}

// changeSetting stores or deletes a setting, and returns its value before.
func changeSetting(ctx context.Context, tx *sql.Tx, name, value string) (before string, err error) {
	err = tx.QueryRowContext(ctx, `DELETE FROM settings WHERE name = $1 RETURNING value`, name).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil || value == "" {
		return before, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, name, value)
	return before, err
}

// keyCaughtUp is the setting with the time of EndCatchUp, in Unix milliseconds on
// Pipedrive's clock.
const keyCaughtUp = "caught_up_at"

// BeginCatchUp returns the time up to which the database knows all deals, on Pipedrive's
// clock: the time of the last EndCatchUp, zero if there was none. Newer attempts of ours do
// not count, because people create deals as well. If the database has lost commits,
// BeginCatchUp, EndCatchUp, Adopt, Claim and Reclaim return gistdeal.ErrCommitsLost until a
// first BeginCatchUp has returned it: the next one accepts the database as it is.
func (s *Store) BeginCatchUp(ctx context.Context, first bool) (known time.Time, err error) {
	err = s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE deals SET catch_up = 2 WHERE catch_up <> 0 AND catch_up = 1`); err != nil {
			return err
		}
		known, err = caughtUpTo(ctx, tx)
		return err
	})
	if first && errors.Is(err, gistdeal.ErrCommitsLost) {
		s.pushes.reset()
	}
	if err != nil {
		return known, fmt.Errorf("begin the catch-up: %w", err)
	}
	return known, nil
}

// caughtUpTo returns the time of the last EndCatchUp, zero if there was none.
func caughtUpTo(ctx context.Context, tx *sql.Tx) (time.Time, error) {
	var ms int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(CAST(value AS BIGINT)), 0) FROM settings WHERE name = $1`, keyCaughtUp).Scan(&ms)
	return fromMillis(ms), err
}

// EndCatchUp records that the database knows all deals created before remote, a time on
// Pipedrive's clock. Deals that waited for a catch-up at its begin can be claimed now.
func (s *Store) EndCatchUp(ctx context.Context, remote time.Time) error {
	err := s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, setSetting, keyCaughtUp, strconv.FormatInt(millis(remote), 10))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE deals SET catch_up = 0 WHERE catch_up <> 0 AND catch_up = 2`)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the catch-up: %w", err)
	}
	return nil
}
