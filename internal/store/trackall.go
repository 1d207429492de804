package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// newUserRow is a user in the JSON object of TrackNew, keyed by its id.
type newUserRow struct {
	Login    string            `json:"login"`
	Key      string            `json:"key"`
	Backfill gistdeal.Backfill `json:"backfill"`
	NodeID   string            `json:"node_id"`
	Next     int64             `json:"next"` // when it is due
	Tags     string            `json:"tags"` // as in the column
}

// answerRow is an answered request in the same call, keyed by its login.
type answerRow struct {
	Number int64 `json:"number"`
}

// TrackNew does for many new accounts without gists what TrackProbed does for one, and answers
// the requests for them, with one statement for each step. The requests are in the same order;
// each has the backfill and the tags of its user. Accounts that were erased, and those that were tracked
// before, are left out: TrackNew returns the indices of the others.
func (s *Store) TrackNew(ctx context.Context, probes []gistdeal.Probe, requests []gistdeal.ScanRequest, now time.Time, next func() time.Time) (tracked []int, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		tracked = nil
		accounts := make([]gistdeal.Account, len(probes))
		for i, p := range probes {
			accounts[i] = p.Account
		}
		erased, err := s.erased(ctx, tx, accounts)
		if err != nil {
			return err
		}
		users := map[string]newUserRow{}
		for i, a := range accounts {
			if !erased[a.ID] {
				users[strconv.FormatInt(a.ID, 10)] = newUserRow{a.Login, gistdeal.LoginKey(a.Login), requests[i].Backfill, gistdeal.StorableText(a.NodeID), millis(next()), tagText(strings.Fields(requests[i].Tags))}
			}
		}
		added, err := insertUsers(ctx, tx, users, now)
		if err != nil {
			return err
		}
		answers := map[string]answerRow{}
		for i, a := range accounts {
			if added[a.ID] {
				tracked = append(tracked, i)
				answers[gistdeal.LoginKey(requests[i].Login)] = answerRow{requests[i].Number}
			}
		}
		return answerAdded(ctx, tx, answers, now)
	})
	if err != nil {
		return nil, fmt.Errorf("track %d users: %w", len(probes), err)
	}
	return tracked, nil
}

// insertUsers inserts new users, whose first scan was at now and found nothing. It returns the
// ids of the inserted ones: a known user keeps its row.
func insertUsers(ctx context.Context, tx *sql.Tx, users map[string]newUserRow, now time.Time) (map[int64]bool, error) {
	object, err := json.Marshal(users)
	if err != nil {
		return nil, err
	}
	const id = `CAST(t.key AS BIGINT)`
	if _, err := tx.ExecContext(ctx, `UPDATE users SET login_key = NULL FROM json_each($1) t WHERE users.login_key = t.value ->> 'key' AND users.id <> `+id, string(object)); err != nil {
		return nil, err
	}
	rows, err := queryIn(ctx, tx, `INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at, version, node_id, changed_at, tags)
		SELECT `+id+`, t.value ->> 'login', t.value ->> 'key', 'active', t.value ->> 'backfill', $2, $2, $2, CAST(t.value ->> 'next' AS BIGINT), $2, t.value ->> 'node_id', $2, t.value ->> 'tags'
		FROM json_each($1) t WHERE true ON CONFLICT (id) DO NOTHING RETURNING id`, string(object), millis(now))
	added := map[int64]bool{}
	if _, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) {
		err = row.Scan(&id)
		added[id] = true
		return id, err
	}); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE audit_log SET user_id = `+id+` FROM json_each($1) t WHERE audit_log.user_id = 0 AND lower(audit_log.target) = t.value ->> 'key'
		AND audit_log.action IN ('`+string(gistdeal.ActionAddUser)+`', '`+string(gistdeal.ActionAllowAgain)+`', '`+string(gistdeal.ActionCancelRequest)+`')`, string(object))
	return added, err
}

// answerAdded answers requests whose users were added.
func answerAdded(ctx context.Context, tx *sql.Tx, answers map[string]answerRow, now time.Time) error {
	object, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	// With a plain condition, SQLite compares each pending request with each of the answers.
	_, err = tx.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = 'added', problem = '', retry_after = 0 FROM json_each($2) t
		WHERE scan_requests.login_key = t.key AND scan_requests.ended_at + 0 = 0 AND scan_requests.number = CAST(t.value ->> 'number' AS BIGINT)`, millis(now), string(object))
	return err
}
