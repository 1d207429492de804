package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// keepResults is how long a result can be read.
const keepResults = time.Hour

// canceled is the problem of a request that was canceled.
const canceled = "the request was canceled"

// requestRow is a scan request in the JSON object of a bulk insert, keyed by login.
type requestRow struct {
	Login    string               `json:"login"`
	Backfill gistdeal.Backfill    `json:"backfill"`
	Tags     string               `json:"tags"`
	Kind     gistdeal.RequestKind `json:"kind"`
}

// RequestScan queues scan requests for the leader, and returns them with the numbers that
// RequestResults needs. A request joins a pending one for the same
// login if that one covers it.
func (s *Store) RequestScan(ctx context.Context, now time.Time, requests ...gistdeal.ScanRequest) ([]gistdeal.ScanRequest, error) {
	numbers := map[string]int64{}
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		object, err := joinRequests(ctx, tx, requests)
		if err != nil {
			return nil, err
		}
		entries, err := requestEntries(ctx, tx, object, requests)
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM scan_requests WHERE ended_at > 0 AND ended_at < $1
			AND NOT EXISTS (SELECT 1 FROM operation_items i WHERE i.key = login_key AND i.request > 0 AND i.result = '')`, millis(now.Add(-keepResults))); err != nil {
			return nil, err
		}
		before, err := s.waitingRequests(ctx, tx)
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO scan_requests (login_key, login, backfill, tags, kind, requested_at)
			SELECT key, value ->> 'login', value ->> 'backfill', value ->> 'tags', CAST(value ->> 'kind' AS BIGINT), $1 FROM json_each($2) WHERE true
			ON CONFLICT (login_key) DO UPDATE SET login = excluded.login,
				backfill = CASE WHEN excluded.backfill = '' AND scan_requests.ended_at = 0 THEN scan_requests.backfill ELSE excluded.backfill END,
				tags = excluded.tags,
				kind = CASE WHEN scan_requests.ended_at = 0 AND scan_requests.kind > excluded.kind THEN scan_requests.kind ELSE excluded.kind END,
				number = scan_requests.number + 1, requested_at = excluded.requested_at, ended_at = 0, outcome = '', problem = '', retry_after = 0
			WHERE scan_requests.ended_at > 0 OR excluded.kind > scan_requests.kind OR excluded.backfill NOT IN ('', scan_requests.backfill) OR excluded.tags <> scan_requests.tags`,
			millis(now), object); err != nil {
			return nil, err
		}
		after, err := s.waitingRequests(ctx, tx)
		if err != nil {
			return nil, err
		}
		if after > max(before, s.requests) {
			return nil, &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: time.Minute, Err: fmt.Errorf("%d requests are pending, and at most %d may be: try again later, or cancel some with `gistdeal requests cancel`", before, s.requests)}
		}
		rows, err := queryIn(ctx, tx, `SELECT login_key, number FROM scan_requests WHERE login_key IN (SELECT key FROM json_each($1))`, object)
		_, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
			var n int64
			err = row.Scan(&key, &n)
			numbers[key] = n
			return key, err
		})
		return entries, err
	})
	if gistdeal.KindOf(err) == gistdeal.Limited {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("request %d logins: %w", len(requests), err)
	}
	stored := make([]gistdeal.ScanRequest, len(requests))
	for i, r := range requests {
		r.Number = numbers[gistdeal.LoginKey(r.Login)]
		stored[i] = r
	}
	return stored, nil
}

// joinRequests returns the requests for a bulk statement, with the tags of the pending ones that
// they join too.
func joinRequests(ctx context.Context, tx *sql.Tx, requests []gistdeal.ScanRequest) (string, error) {
	object, err := requestObject(requests)
	if err != nil {
		return "", err
	}
	rows, err := queryIn(ctx, tx, `SELECT login_key, tags FROM scan_requests WHERE ended_at = 0 AND tags <> '' AND login_key IN (SELECT key FROM json_each($1))`, object)
	pending := map[string]string{}
	if _, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
		var tags string
		err = row.Scan(&key, &tags)
		pending[key] = tags
		return key, err
	}); err != nil {
		return "", err
	}
	joined := slices.Clone(requests)
	for i, r := range joined {
		tags := strings.Fields(pending[gistdeal.LoginKey(r.Login)] + " " + r.Tags)
		slices.Sort(tags)
		tags = slices.Compact(tags)
		joined[i].Tags = strings.Join(tags[:min(len(tags), gistdeal.MaxTags+1)], " ") // One too many is refused later.
	}
	return requestObject(joined)
}

// requestEntries returns the entries of the audit log for requests: to track users that are
// not tracked, and for scans.
func requestEntries(ctx context.Context, tx *sql.Tx, object string, requests []gistdeal.ScanRequest) ([]gistdeal.AuditEntry, error) {
	rows, err := queryIn(ctx, tx, `SELECT id, login_key, tags FROM users WHERE login_key IN (SELECT key FROM json_each($1)) AND state <> 'removed'`, object)
	tracked := map[string]gistdeal.User{}
	if _, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
		var u gistdeal.User
		var tags string
		err = row.Scan(&u.ID, &key, &tags)
		u.Tags = strings.Fields(tags)
		tracked[key] = u
		return key, err
	}); err != nil {
		return nil, err
	}
	var entries []gistdeal.AuditEntry
	for _, r := range requests {
		u, known := tracked[gistdeal.LoginKey(r.Login)]
		switch {
		case r.Kind == gistdeal.RequestScanNow:
			entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionScanUser, Target: r.Login, UserID: u.ID})
		case !known:
			entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionAddUser, Target: r.Login, After: string(r.Backfill)})
		}
		if tags, err := gistdeal.JoinTags(u.Tags, strings.Fields(r.Tags)); err == nil && len(tags) > len(u.Tags) {
			entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionTagUser, Target: r.Login, UserID: u.ID, Before: strings.Join(u.Tags, " "), After: strings.Join(tags, " ")})
		}
	}
	return entries, nil
}

// waitingRequests returns the number of pending requests that may be for users that are
// not tracked, or 0 if they have no limit. Until the transaction ends, no other one counts
// them.
func (s *Store) waitingRequests(ctx context.Context, tx *sql.Tx) (n int, err error) {
	if s.requests == 0 {
		return 0, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE counters SET value = value WHERE name = 'scan_requests'`); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM scan_requests WHERE ended_at = 0 AND kind < $1`, gistdeal.RequestScanNow).Scan(&n)
	return n, err
}

// ListRequests returns up to limit pending requests by login, after the given login.
func (s *Store) ListRequests(ctx context.Context, after string, limit int) ([]gistdeal.PendingRequest, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT login, requested_at, problem FROM scan_requests
		WHERE ended_at = 0 AND login_key > $1 ORDER BY login_key LIMIT $2`, gistdeal.LoginKey(after), limit)
	return collect(rows, err, func(row *sql.Rows) (r gistdeal.PendingRequest, err error) {
		var at int64
		err = row.Scan(&r.Login, &at, &r.Problem)
		r.RequestedAt = fromMillis(at)
		return r, err
	})
}

// CancelRequests ends the pending request for a login, or all pending ones if it is "", and
// returns their number. Clients that wait for them get an Invalid error.
func (s *Store) CancelRequests(ctx context.Context, login string, now time.Time) (int64, error) {
	var ended int64
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		r, err := tx.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = $2, problem = '`+canceled+`'
			WHERE ended_at = 0 AND ($3 = '' OR login_key = $3)`, millis(now), gistdeal.Invalid.String(), gistdeal.LoginKey(login))
		if err != nil {
			return nil, err
		}
		if ended, err = r.RowsAffected(); ended > 0 {
			entries = []gistdeal.AuditEntry{{Action: gistdeal.ActionCancelRequest, Target: login, Count: int(ended)}}
		}
		return entries, err
	})
	if err != nil {
		return 0, fmt.Errorf("cancel requests: %w", err)
	}
	return ended, nil
}

// requestObject returns the requests as a JSON object for a bulk statement.
func requestObject(requests []gistdeal.ScanRequest) (string, error) {
	rows := make(map[string]requestRow, len(requests))
	for _, r := range requests {
		rows[gistdeal.LoginKey(r.Login)] = requestRow{Login: r.Login, Backfill: r.Backfill, Tags: r.Tags, Kind: r.Kind}
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// PendingRequests returns up to limit pending requests of at least the kind least: higher
// kinds first, and older ones first within a kind.
func (s *Store) PendingRequests(ctx context.Context, least gistdeal.RequestKind, limit int) ([]gistdeal.ScanRequest, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT login, backfill, tags, kind, number FROM scan_requests
		WHERE ended_at = 0 AND kind >= $1 ORDER BY kind DESC, requested_at LIMIT $2`, least, limit)
	return collect(rows, err, func(row *sql.Rows) (r gistdeal.ScanRequest, err error) {
		return r, row.Scan(&r.Login, &r.Backfill, &r.Tags, &r.Kind, &r.Number)
	})
}

// Answer records the result of a request. It reports false if the request has been extended
// in the meantime: then it stays pending, with a higher number.
func (s *Store) Answer(ctx context.Context, r gistdeal.ScanRequest, result gistdeal.RequestResult, now time.Time) (bool, error) {
	outcome, problem := "known", ""
	if result.Added {
		outcome = "added"
	}
	if result.Err != nil {
		outcome, problem = gistdeal.KindOf(result.Err).String(), result.Err.Error()
	}
	ok, err := changed(s.db.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = $2, problem = $3, retry_after = $4
		WHERE login_key = $5 AND number = $6 AND ended_at = 0`,
		millis(now), outcome, gistdeal.StorableText(problem), gistdeal.RetryAfter(result.Err).Milliseconds(), gistdeal.LoginKey(r.Login), r.Number))
	if err != nil {
		return false, fmt.Errorf("record the result of the request for %q: %w", r.Login, err)
	}
	return ok, nil
}

// RequeueRequest moves a request behind the others of its kind. The problem is the reason
// why it is still pending.
func (s *Store) RequeueRequest(ctx context.Context, r gistdeal.ScanRequest, problem string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE scan_requests SET requested_at = $1, problem = $2 WHERE login_key = $3 AND number = $4 AND ended_at = 0`,
		millis(now), gistdeal.StorableText(problem), gistdeal.LoginKey(r.Login), r.Number)
	if err != nil {
		return fmt.Errorf("requeue the request for %q: %w", r.Login, err)
	}
	return nil
}

// PendingRequest reports whether a request for the login is pending, and the reason if
// there is one.
func (s *Store) PendingRequest(ctx context.Context, login string) (problem string, pending bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT problem FROM scan_requests WHERE login_key = $1 AND ended_at = 0`, gistdeal.LoginKey(login)).Scan(&problem)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the request for %q: %w", login, err)
	}
	return problem, true, nil
}

// RequestResults returns the results of the given requests by login key. It leaves out
// requests without a result. Results can be read for an hour.
func (s *Store) RequestResults(ctx context.Context, requests ...gistdeal.ScanRequest) (map[string]gistdeal.RequestResult, error) {
	object, err := requestObject(requests)
	if err != nil {
		return nil, err
	}
	least := map[string]int64{}
	for _, r := range requests {
		least[gistdeal.LoginKey(r.Login)] = r.Number
	}
	results := map[string]gistdeal.RequestResult{}
	rows, err := s.read.QueryContext(ctx, `SELECT login_key, number, outcome, problem, retry_after FROM scan_requests
		WHERE ended_at > 0 AND login_key IN (SELECT key FROM json_each($1))`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
		var n, retryAfter int64
		var outcome, problem string
		if err := row.Scan(&key, &n, &outcome, &problem, &retryAfter); err != nil {
			return key, err
		}
		if n >= least[key] {
			results[key] = resultOf(outcome, problem, time.Duration(retryAfter)*time.Millisecond)
		}
		return key, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return results, nil
}

// resultOf is the inverse of the conversion in Answer.
func resultOf(outcome, problem string, retryAfter time.Duration) gistdeal.RequestResult {
	switch outcome {
	case "added":
		return gistdeal.RequestResult{Added: true}
	case "known":
		return gistdeal.RequestResult{}
	}
	return gistdeal.RequestResult{Err: &gistdeal.Error{Kind: gistdeal.KindNamed(outcome), RetryAfter: retryAfter, Err: errors.New(problem)}}
}
