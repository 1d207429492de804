package store

import (
	"context"
	"database/sql"
	"encoding/json"
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
		last, err := changeSetting(ctx, tx, keyConfigured, string(text))
		if err != nil || last == "" {
			return nil, err
		}
		before := map[gistdeal.Setting]string{}
		if err := json.Unmarshal([]byte(last), &before); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if before[name] != values[name] {
				entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionChangeSetting, Target: string(name), Before: before[name], After: values[name]})
			}
		}
		return entries, nil
	})
	if err != nil {
		return fmt.Errorf("record the configured settings: %w", err)
	}
	return nil
}
