package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// keyFeed is the setting with the state of the feed, as JSON.
const keyFeed = "feed"

// Feed returns the state of the feed as RecordFeed stored it.
func (s *Store) Feed(ctx context.Context) (f gistdeal.Feed, err error) {
	var text string
	err = s.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, keyFeed).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &f)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return f, fmt.Errorf("read the state of the feed: %w", err)
	}
	return f, nil
}

// UnseenInFeed returns those of the gist ids that no recorded reading of the feed has seen.
func (s *Store) UnseenInFeed(ctx context.Context, ids []string) (map[string]bool, error) {
	unseen := make(map[string]bool, len(ids))
	object, err := keys(ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT key FROM json_each($1) WHERE NOT EXISTS (SELECT 1 FROM feed_gists f WHERE f.id = key)`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (id string, err error) {
		err = row.Scan(&id)
		unseen[id] = true
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("look up gists of the feed: %w", err)
	}
	return unseen, nil
}

// UsersInFeed returns those of the users, given by id, whose gists in the feed matter: active
// ones after their first scan, and gone ones.
func (s *Store) UsersInFeed(ctx context.Context, ids []int64) ([]gistdeal.User, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+userColumns+` FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))
		AND (state = 'active' AND last_scan_at > 0 OR state = 'gone')`, idKeys(ids))
	return collect(rows, err, func(row *sql.Rows) (gistdeal.User, error) { return scanUser(row) })
}

// RecordFeed stores the state of the feed after a complete reading, together with the ids
// that it saw, the latest gist last. It forgets all but the last seen ones.
func (s *Store) RecordFeed(ctx context.Context, f gistdeal.Feed, seen []string) error {
	type row struct {
		Seq int64 `json:"seq"`
	}
	rows := make(map[string]row, len(seen))
	for _, id := range seen {
		f.Seen++
		rows[id] = row{f.Seen}
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	state, err := json.Marshal(f)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO feed_gists (id, seq) SELECT key, CAST(value ->> 'seq' AS BIGINT) FROM json_each($1) WHERE true
			ON CONFLICT (id) DO UPDATE SET seq = excluded.seq`, string(object)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM feed_gists WHERE seq <= (SELECT coalesce(max(seq), 0) FROM feed_gists) - $1`, gistdeal.FeedCapacity); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, setSetting, keyFeed, string(state))
		return err
	})
	if err != nil {
		return fmt.Errorf("record a reading of the feed: %w", err)
	}
	return nil
}

// DueNow makes the scan of an active or gone user due.
func (s *Store) DueNow(ctx context.Context, now time.Time, userID int64) error {
	_, err := s.db.ExecContext(ctx, `UPDATE users SET next_scan_at = $1 WHERE id = $2 AND state IN ('active', 'gone')`, millis(now), userID)
	if err != nil {
		return fmt.Errorf("make the scan of user %d due: %w", userID, err)
	}
	return nil
}

// AllDueNow makes the scans of all active users due.
func (s *Store) AllDueNow(ctx context.Context, now time.Time) error {
	_, err := s.updateUsers(ctx, `UPDATE users SET next_scan_at = $1 WHERE state = 'active' AND next_scan_at > $1`, millis(now))
	if err != nil {
		return fmt.Errorf("make all scans due: %w", err)
	}
	return nil
}
