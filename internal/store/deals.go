package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gistdeal"
)

// Claim moves the deal that was queued first from queued to sending, and records the
// attempt; remote is the present time on Pipedrive's clock. It reports false if no
// deal is queued, another process was faster, or an operator paused the pushes.
// Nothing may be sent before Claim has returned: then the claim is on the disk.
func (s *Store) Claim(ctx context.Context, owner string, now, remote time.Time) (c gistdeal.Claim, ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// The state is tested outside of the sub-select too: without that,
		// two sessions of PostgreSQL were seen to take the same row.
		row := tx.QueryRowContext(ctx, `
			UPDATE deals SET state = 'sending', attempts = attempts + 1, owner = $1, sent_at = $2, problem = ''
			WHERE state = 'queued' AND gist_id = (
				SELECT gist_id FROM deals WHERE state = 'queued' ORDER BY queued_at, gist_id LIMIT 1)
			AND NOT `+pushesPaused+`
			RETURNING gist_id, attempts`, owner, millis(now))
		c, err = claimed(ctx, tx, row, owner, now, remote)
		return err
	})
	return claimResult(c, err)
}

// Reclaim starts the next attempt at a deal after so many lookups did not find the
// deal of attempt c. It reports false and changes nothing if the deal was decided in
// the meantime, or if an operator paused the pushes.
func (s *Store) Reclaim(ctx context.Context, c gistdeal.Claim, lookups int, owner string, now, remote time.Time) (next gistdeal.Claim, ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE attempts SET outcome = 'not_found', lookups = $1, ended_at = $2
			WHERE gist_id = $3 AND n = $4 AND outcome = ''`, lookups, millis(now), c.Draft.GistID, c.Attempt); err != nil {
			return err
		}
		row := tx.QueryRowContext(ctx, `UPDATE deals SET attempts = attempts + 1, owner = $1, sent_at = $2
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5 AND NOT `+pushesPaused+`
			RETURNING gist_id, attempts`,
			owner, millis(now), c.Draft.GistID, c.Attempt, c.Owner)
		next, err = claimed(ctx, tx, row, owner, now, remote)
		return err
	})
	return claimResult(next, err)
}

// claimResult tells a claim from "there was none to take" and from an error.
func claimResult(c gistdeal.Claim, err error) (gistdeal.Claim, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("claim a deal: %w", err)
	}
	return c, true, nil
}

// claimed completes the claim of the row that was just changed.
func claimed(ctx context.Context, tx *sql.Tx, row *sql.Row, owner string, now, remote time.Time) (c gistdeal.Claim, err error) {
	c.Owner = owner
	if err := row.Scan(&c.Draft.GistID, &c.Attempt); err != nil {
		return c, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO attempts (gist_id, n, owner, sent_at, remote_at) VALUES ($1, $2, $3, $4, $5)`,
		c.Draft.GistID, c.Attempt, owner, millis(now), millis(remote)); err != nil {
		return c, err
	}
	var since int64
	err = tx.QueryRowContext(ctx, `SELECT g.description, u.login, a.since, a.absences FROM gists g JOIN users u ON u.id = g.user_id
		CROSS JOIN (`+inDoubt+`) a WHERE g.id = $1`, c.Draft.GistID).Scan(&c.Draft.Description, &c.Draft.Login, &since, &c.Resends)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("deal %s has no gist", c.Draft.GistID)
	}
	c.Since = fromMillis(since)
	return c, err
}

// inDoubt selects, of the attempts at gist $1 that may have made its deal, when
// the first began on Pipedrive's clock, and how many were taken for absent.
const inDoubt = `SELECT min(remote_at) AS since, count(CASE outcome WHEN 'not_found' THEN 1 END) AS absences
	FROM attempts WHERE gist_id = $1 AND outcome IN ('', 'not_found')`

// attemptEnd is the end of an attempt.
type attemptEnd struct {
	outcome string
	dealID  int64
	lookups int
	reason  string
	now     time.Time
}

// endAttempt writes the end of an attempt, even if another process owns the deal's row
// by now: the outcome is a fact, above all the id of a created deal.
func endAttempt(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, e attemptEnd) error {
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET outcome = $1, deal_id = $2, lookups = $3, reason = $4, ended_at = $5
		WHERE gist_id = $6 AND n = $7 AND owner = $8`,
		e.outcome, sql.NullInt64{Int64: e.dealID, Valid: e.dealID != 0}, e.lookups, clean(e.reason), millis(e.now), c.Draft.GistID, c.Attempt, c.Owner)
	return err
}

// RecordCreated records that the attempt c made the deal dealID, even if c is no longer
// the deal's present attempt: that the deal exists is a fact. If the gist has
// another deal by now, dealID is recorded as surplus. It reports false if the
// gist's deal is still not known, because dealID is known as another gist's.
func (s *Store) RecordCreated(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) (bool, error) {
	end := attemptEnd{outcome: "created", dealID: dealID, now: now}
	known := false
	_, err := s.settle(ctx, c, end, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'created', deal_id = $1, problem = '' WHERE gist_id = $2 AND state <> 'created'
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID))
		if err != nil {
			return false, err
		}
		if err := addDuplicates(ctx, tx, map[string][]int64{c.Draft.GistID: {dealID}}, now); err != nil {
			return false, err
		}
		return ok, tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deals WHERE gist_id = $1 AND state = 'created')`, c.Draft.GistID).Scan(&known)
	})
	return known, err
}

// Refuse records that the attempt c was refused for a reason that will not pass by itself.
func (s *Store) Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	_, err := s.settle(ctx, c, attemptEnd{outcome: "refused", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'failed', problem = $1
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3 AND owner = $4`, clean(reason), c.Draft.GistID, c.Attempt, c.Owner))
	})
	return err
}

// GiveBack records that the attempt c certainly created no deal. The deal is queued
// again, at the end, so that a gist with nothing but refused attempts does not hold
// up the others; it is skipped if its user was removed. It reports false if the deal
// stays sending because lookups only did not find the deal of an earlier attempt:
// then lookups come first again.
func (s *Store) GiveBack(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) (bool, error) {
	return s.settle(ctx, c, attemptEnd{outcome: "not_sent", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'queued', problem = $1, queued_at = $2
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5
			AND NOT EXISTS (SELECT 1 FROM attempts WHERE gist_id = $3 AND outcome = 'not_found')`,
			clean(reason), millis(now), c.Draft.GistID, c.Attempt, c.Owner))
		if err != nil || !ok {
			return ok, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE deals SET state = 'skipped', problem = $1 WHERE gist_id = $2 AND state = 'queued'
			AND EXISTS (SELECT 1 FROM gists g JOIN users u ON u.id = g.user_id WHERE g.id = $2 AND u.state = 'removed')`, userRemoved, c.Draft.GistID)
		return true, err
	})
}

// AdoptInDoubt records that a lookup found dealID as the deal of the attempt c in
// doubt, and that surplus are duplicates. It reports false if dealID is the deal of
// another gist, or if the attempt was decided in the meantime.
func (s *Store) AdoptInDoubt(ctx context.Context, c gistdeal.Claim, dealID int64, duplicates []int64, lookups int, now time.Time) (bool, error) {
	var adopted bool
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		adopted, err = changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'created', deal_id = $1, problem = ''
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID, c.Attempt))
		if err != nil || !adopted {
			return err
		}
		if err := endAttempt(ctx, tx, c, attemptEnd{outcome: "adopted", dealID: dealID, lookups: lookups, now: now}); err != nil {
			return err
		}
		return addDuplicates(ctx, tx, map[string][]int64{c.Draft.GistID: duplicates}, now)
	})
	if err != nil {
		return false, fmt.Errorf("adopt deal %d for gist %s: %w", dealID, c.Draft.GistID, err)
	}
	return adopted, nil
}

// settle writes the end of an attempt and changes the deal's state, and returns the
// result of change.
func (s *Store) settle(ctx context.Context, c gistdeal.Claim, e attemptEnd, change func(context.Context, *sql.Tx) (bool, error)) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := endAttempt(ctx, tx, c, e); err != nil {
			return err
		}
		ok, err = change(ctx, tx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("record attempt %d at gist %s as %s: %w", c.Attempt, c.Draft.GistID, e.outcome, err)
	}
	return ok, nil
}

// duplicateRow is a further deal inside the JSON object of a bulk insert.
type duplicateRow struct {
	GistID string `json:"gist"`
}

// adoptionRow is a gist's deal inside the JSON object of a bulk insert.
type adoptionRow struct {
	DealID int64 `json:"deal"`
}

// addDuplicates records those of the given deals, by gist, that are not the one
// that their gist is known to have.
func addDuplicates(ctx context.Context, tx *sql.Tx, deals map[string][]int64, now time.Time) error {
	rows := map[int64]duplicateRow{}
	for gistID, ids := range deals {
		for _, id := range ids {
			rows[id] = duplicateRow{GistID: gistID}
		}
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO duplicate_deals (deal_id, gist_id, noticed_at)
		SELECT CAST(key AS BIGINT), value ->> 'gist', $1 FROM json_each($2)
		WHERE EXISTS (SELECT 1 FROM deals WHERE gist_id = value ->> 'gist' AND deal_id <> CAST(key AS BIGINT))
		ON CONFLICT (deal_id) DO NOTHING`, millis(now), string(object))
	return err
}

// InDoubt returns the attempts in doubt: the last one of each deal that is sending.
func (s *Store) InDoubt(ctx context.Context) ([]gistdeal.Claim, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT d.gist_id, d.attempts, d.owner, min(a.remote_at), count(CASE a.outcome WHEN 'not_found' THEN 1 END)
		FROM deals d JOIN attempts a ON a.gist_id = d.gist_id AND a.outcome IN ('', 'not_found')
		WHERE d.state = 'sending' GROUP BY d.gist_id, d.attempts, d.owner ORDER BY d.gist_id`)
	return collect(rows, err, func(row *sql.Rows) (c gistdeal.Claim, err error) {
		var since int64
		err = row.Scan(&c.Draft.GistID, &c.Attempt, &c.Owner, &since, &c.Resends)
		c.Since = fromMillis(since)
		return c, err
	})
}

// Due reports whether a deal waits to be pushed, and no person paused all pushes.
func (s *Store) Due(ctx context.Context) (due bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deals WHERE state = 'queued') AND NOT `+pushesPaused).Scan(&due)
	return due, err
}

// ForeignDeals returns those of the given gists with a deal that no attempt of this
// database created, or may have created.
func (s *Store) ForeignDeals(ctx context.Context, deals map[string]int64) ([]string, error) {
	object, err := adoptionObject(deals)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT key FROM json_each($1)
		WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
		AND NOT EXISTS (SELECT 1 FROM deals WHERE gist_id = key AND state = 'sending')`, object)
	return collect(rows, err, func(row *sql.Rows) (gistID string, err error) { return gistID, row.Scan(&gistID) })
}

// adoptionObject returns deals by gist as a JSON object for a bulk statement.
func adoptionObject(deals map[string]int64) (string, error) {
	rows := make(map[string]adoptionRow, len(deals))
	for gistID, id := range deals {
		rows[gistID] = adoptionRow{DealID: id}
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// Adopt takes over deals that exist in Pipedrive: the one of each gist becomes
// made, whether the gist is known yet or not, and further ones surplus.
// Attempts of unknown outcome are left alone, they are decided by looks. It
// returns how many deals were new to the database.
func (s *Store) Adopt(ctx context.Context, one map[string]int64, duplicates map[string][]int64, now time.Time) (adopted int, err error) {
	object, err := adoptionObject(one)
	if err != nil {
		return 0, err
	}
	all := map[string][]int64{}
	for gistID, id := range one {
		all[gistID] = append(slices.Clone(duplicates[gistID]), id)
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `
			INSERT INTO deals (gist_id, state, deal_id)
			SELECT key, 'created', CAST(value ->> 'deal' AS BIGINT) FROM json_each($1)
			WHERE NOT EXISTS (SELECT 1 FROM deals WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
			ON CONFLICT (gist_id) DO UPDATE SET state = 'created', deal_id = excluded.deal_id, problem = ''
			WHERE deals.state IN ('awaiting_approval', 'queued', 'failed', 'skipped')`, object)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		adopted = int(n)
		if err != nil {
			return err
		}
		return addDuplicates(ctx, tx, all, now)
	})
	if err != nil {
		return 0, fmt.Errorf("adopt %d deals: %w", len(one), err)
	}
	return adopted, nil
}
