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

// probeRow is a probe in the JSON object of RecordProbes, keyed by the user's id.
type probeRow struct {
	NodeID string `json:"node_id"`
	Login  string `json:"login"` // as a key
	Total  int    `json:"total"`
	Update int64  `json:"update"` // when a gist last changed
	Next   int64  `json:"next"`   // when the user is due again if nothing has changed
}

// latestRow is the owner of a gist in the same call, keyed by the gist's id.
type latestRow struct {
	UserID int64 `json:"user_id"`
}

// RecordProbes records the node ids of active users that were compared at now, and a
// successful scan of each user in which nothing has changed, with its next scan at the time
// that next returns. It returns the ids of these users; the others have to be scanned.
//
// Nothing has changed if the login is the same, all of the newest gists are known, none has
// changed since its facts were read, GitHub counts as many gists as before, the facts of all gists are known, and the last scan was
// complete. A first scan is recorded only if there are no gists.
func (s *Store) RecordProbes(ctx context.Context, probes []gistdeal.Probe, now time.Time, next func() time.Time) (unchanged map[int64]bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		unchanged, err = recordProbes(ctx, tx, probes, now, next)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record the comparison of %d users: %w", len(probes), err)
	}
	return unchanged, nil
}

// recordProbes is RecordProbes in a transaction.
func recordProbes(ctx context.Context, tx *sql.Tx, probes []gistdeal.Probe, now time.Time, next func() time.Time) (unchanged map[int64]bool, err error) {
	users, latest, err := probeObjects(probes, next)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE users SET node_id = p.value ->> 'node_id' FROM json_each($1) p
		WHERE users.id = CAST(p.key AS BIGINT) AND users.node_id <> p.value ->> 'node_id'`, users); err != nil {
		return nil, err
	}
	rows, err := queryIn(ctx, tx, `UPDATE users SET last_scan_at = $1, next_scan_at = CAST(p.value ->> 'next' AS BIGINT), problem = '',
			full_scan_at = CASE WHEN CAST(p.value ->> 'total' AS BIGINT) = 0 THEN $1 ELSE full_scan_at END
		FROM json_each($2) p
		WHERE users.id = CAST(p.key AS BIGINT) AND users.state = 'active' AND users.failures = 0 AND users.login_key = p.value ->> 'login'
			AND (users.last_scan_at > 0 OR CAST(p.value ->> 'total' AS BIGINT) = 0)
			AND CAST(p.value ->> 'total' AS BIGINT) - users.hidden = (SELECT count(*) FROM gists g WHERE g.user_id = users.id AND g.gone_at = 0)
			AND (CAST(p.value ->> 'update' AS BIGINT) <= users.probed_at
				OR EXISTS (SELECT 1 FROM gists g WHERE g.user_id = users.id AND g.gone_at = 0 AND g.updated_at >= CAST(p.value ->> 'update' AS BIGINT)))
			AND users.id NOT IN (SELECT CAST(l.value ->> 'user_id' AS BIGINT) FROM json_each($3) l
				WHERE NOT EXISTS (SELECT 1 FROM gists g WHERE g.id = l.key AND g.gone_at = 0))
			AND users.id NOT IN (SELECT g.user_id FROM gists g WHERE g.updated_at = 0 AND g.gone_at = 0)
			AND users.id NOT IN (SELECT g.user_id FROM deals d JOIN gists g ON g.id = d.gist_id
				WHERE d.state = 'awaiting_approval' AND d.problem = '`+waitingForScan+`')
		RETURNING users.id`, millis(now), users, latest)
	unchanged = map[int64]bool{}
	_, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) {
		err = row.Scan(&id)
		unchanged[id] = true
		return id, err
	})
	return unchanged, err
}

// probeObjects returns the users and the newest gists of probes as JSON objects. Probes
// without an answer are left out.
func probeObjects(probes []gistdeal.Probe, next func() time.Time) (users, latest string, err error) {
	byUser, byGist := map[string]probeRow{}, map[string]latestRow{}
	for _, p := range probes {
		if p.Err != nil {
			continue
		}
		byUser[strconv.FormatInt(p.ID, 10)] = probeRow{gistdeal.StorableText(p.NodeID), gistdeal.LoginKey(p.Login), p.PublicGists, millis(p.UpdatedAt), millis(next())}
		for _, id := range p.Latest {
			byGist[id] = latestRow{p.ID}
		}
	}
	u, err := json.Marshal(byUser)
	if err != nil {
		return "", "", err
	}
	l, err := json.Marshal(byGist)
	return string(u), string(l), err
}

// ListedGists returns how many gists of a user GitHub lists, as far as is known.
func (s *Store) ListedGists(ctx context.Context, userID int64) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM gists WHERE user_id = $1 AND gone_at = 0`, userID).Scan(&n)
	return n, err
}

// SetProbed records, after a scan, the last change of a gist by the comparison before it: the
// facts that the scan read may be older, and must not cause one scan after another.
func (s *Store) SetProbed(ctx context.Context, userID int64, update time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE users SET probed_at = $1 WHERE id = $2 AND probed_at < $1`, millis(update), userID)
	if err != nil {
		return fmt.Errorf("record the comparison of user %d: %w", userID, err)
	}
	return nil
}

// SetHidden records how many more gists GitHub counts than it lists for a user.
func (s *Store) SetHidden(ctx context.Context, userID int64, hidden int) error {
	_, err := s.db.ExecContext(ctx, `UPDATE users SET hidden = $1 WHERE id = $2`, hidden, userID)
	if err != nil {
		return fmt.Errorf("record the hidden gists of user %d: %w", userID, err)
	}
	return nil
}

// SweepSize returns the number of users to scan, with the requests to track further ones.
func (s *Store) SweepSize(ctx context.Context) (size gistdeal.SweepSize, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT
		(SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM counts WHERE kind = 'users' AND state IN ('active', 'gone')),
		(SELECT count(*) FROM scan_requests WHERE ended_at = 0),
		(SELECT count(*) FROM users WHERE last_scan_at = 0 AND state = 'active')`).Scan(&size.Users, &size.Requested, &size.Unscanned)
	if err != nil {
		return size, fmt.Errorf("count the users to scan: %w", err)
	}
	size.Users += size.Requested
	return size, nil
}

// DueScanned returns up to limit users as DueUsers does, but only active ones whose last scan
// succeeded.
func (s *Store) DueScanned(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error) {
	return s.dueUsers(ctx, `state = 'active' AND failures = 0 AND last_scan_at > 0`, now, latest, limit)
}
