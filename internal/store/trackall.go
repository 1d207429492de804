package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// newUserRow is a user in the JSON object of TrackEmpty, keyed by its id.
type newUserRow struct {
	Login    string            `json:"login"`
	Key      string            `json:"key"`
	Backfill gistdeal.Backfill `json:"backfill"`
	NodeID   string            `json:"node_id"`
}

// answerRow is an answered request in the same call, keyed by its login.
type answerRow struct {
	Number int64 `json:"number"`
}

// TrackEmpty does for many accounts without gists what TrackProbed does for one, and answers the
// requests for them, with one statement for each step. The requests are in the same order; each
// has the backfill of its user. Erased accounts are left out: TrackEmpty returns the indices of
// the others.
func (s *Store) TrackEmpty(ctx context.Context, probes []gistdeal.Probe, requests []gistdeal.ScanRequest, now time.Time, next func() time.Time) (tracked []int, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		tracked = nil
		for i, p := range probes {
			err := s.refuseErased(ctx, tx, p.Account)
			if err == nil {
				tracked = append(tracked, i)
			} else if gistdeal.KindOf(err) != gistdeal.Invalid {
				return err
			}
		}
		if len(tracked) == 0 {
			return nil
		}
		return trackEmpty(ctx, tx, probes, requests, tracked, now, next)
	})
	if err != nil {
		return nil, fmt.Errorf("track %d users: %w", len(probes), err)
	}
	return tracked, nil
}

// trackEmpty is TrackEmpty for the accounts with the given indices. Its statements are those
// of track and Answer, each for all of them.
func trackEmpty(ctx context.Context, tx *sql.Tx, probes []gistdeal.Probe, requests []gistdeal.ScanRequest, indices []int, now time.Time, next func() time.Time) error {
	users, answers, all := map[string]newUserRow{}, map[string]answerRow{}, make([]gistdeal.Probe, 0, len(indices))
	for _, i := range indices {
		p, r := probes[i], requests[i]
		users[strconv.FormatInt(p.ID, 10)] = newUserRow{p.Login, gistdeal.LoginKey(p.Login), r.Backfill, gistdeal.StorableText(p.NodeID)}
		answers[gistdeal.LoginKey(r.Login)] = answerRow{r.Number}
		all = append(all, p)
	}
	object, err := json.Marshal(users)
	if err != nil {
		return err
	}
	numbers, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	const id, policy = `CAST(t.key AS BIGINT)`, `CASE users.last_scan_at WHEN 0 THEN excluded.backfill ELSE users.backfill END`
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`UPDATE users SET login_key = NULL FROM json_each($1) t WHERE users.login_key = t.value ->> 'key' AND users.id <> ` + id, []any{string(object)}},
		{`UPDATE users SET tracked_at = $2, etag = '', pages = 0, last_scan_at = 0, full_scan_at = 0, failures = 0, problem = '', hidden = 0, unlinked = 0
			WHERE state = 'removed' AND id IN (SELECT ` + id + ` FROM json_each($1) t)`, []any{string(object), millis(now)}},
		{`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, next_scan_at, version, node_id, changed_at)
			SELECT ` + id + `, t.value ->> 'login', t.value ->> 'key', 'active', t.value ->> 'backfill', $2, $2, $2, t.value ->> 'node_id', $2 FROM json_each($1) t WHERE true
			ON CONFLICT (id) DO UPDATE SET login = excluded.login, login_key = excluded.login_key, changed_at = excluded.changed_at,
				node_id = CASE excluded.node_id WHEN '' THEN users.node_id ELSE excluded.node_id END, backfill = ` + policy + `,
				state = CASE users.state WHEN 'paused' THEN 'paused' ELSE 'active' END, next_scan_at = excluded.next_scan_at`, []any{string(object), millis(now)}},
		{`UPDATE audit_log SET user_id = ` + id + ` FROM json_each($1) t WHERE audit_log.user_id = 0 AND lower(audit_log.target) = t.value ->> 'key'
			AND audit_log.action IN ('` + string(gistdeal.ActionAddUser) + `', '` + string(gistdeal.ActionAllowAgain) + `', '` + string(gistdeal.ActionCancelRequest) + `')`, []any{string(object)}},
	} {
		if _, err := tx.ExecContext(ctx, statement.text, statement.args...); err != nil {
			return err
		}
	}
	if _, err := recordProbes(ctx, tx, all, now, next); err != nil {
		return err
	}
	// With a plain condition, SQLite compares each pending request with each of the answers.
	_, err = tx.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = 'added', problem = '', retry_after = 0 FROM json_each($2) t
		WHERE scan_requests.login_key = t.key AND scan_requests.ended_at + 0 = 0 AND scan_requests.number = CAST(t.value ->> 'number' AS BIGINT)`, millis(now), string(numbers))
	return err
}
