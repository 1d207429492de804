package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gistdeal"
)

// keyConfigured is the setting with the values that the configuration of the last start had,
// as JSON.
const keyConfigured = "configured"

// RecordConfigured adds an entry to the audit log for each setting that the configuration
// gives another value than at the last start. The first start leaves none.
func (s *Store) RecordConfigured(ctx context.Context, values map[gistdeal.Setting]string, now time.Time) error {
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		var last string
		before := map[gistdeal.Setting]string{}
		err = tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, keyConfigured).Scan(&last)
		first := errors.Is(err, sql.ErrNoRows)
		if err == nil {
			err = json.Unmarshal([]byte(last), &before)
		}
		if err != nil && !first {
			return nil, err
		}
		if last == string(text) {
			return nil, nil
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !first && before[name] != values[name] {
				entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionChangeSetting, Target: string(name), Before: before[name], After: values[name]})
			}
		}
		_, err = tx.ExecContext(ctx, setSetting, keyConfigured, string(text))
		return entries, err
	})
	if err != nil {
		return fmt.Errorf("record the configured settings: %w", err)
	}
	return nil
}
