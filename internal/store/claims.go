package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// Claim moves the queued deal whose turn it is to sending and records the attempt. Deals
// that wait for a catch-up have no turn yet, and deals without a gist fail on the way. The
// time remote is now on Pipedrive's clock. Claim reports false if no deal is queued, another
// process was faster, or an operator paused pushes. The caller must not send the deal before
// Claim returns, because only then is the claim on the disk.
func (s *Store) Claim(ctx context.Context, owner string, now, remote time.Time) (c gistdeal.Claim, ok bool, err error) {
	for {
		c, err = s.claimNext(ctx, owner, now, remote)
		if c.Attempt > 0 || err != nil {
			return claimResult(c, err)
		}
	}
}

// claimNext returns a claim without an attempt if the deal had no gist and failed.
func (s *Store) claimNext(ctx context.Context, owner string, now, remote time.Time) (c gistdeal.Claim, err error) {
	err = s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// The outer query tests the state too. Without that test, two PostgreSQL
		// sessions were observed to claim the same row.
		row := tx.QueryRowContext(ctx, `
			UPDATE deals SET state = 'sending', attempts = attempts + 1, owner = $1, sent_at = $2, updated_at = $2, problem = ''
			WHERE state = 'queued' AND gist_id = (
				SELECT gist_id FROM deals WHERE state = 'queued' AND catch_up = 0 ORDER BY backfill, priority, turn, gist_id LIMIT 1)
			AND NOT `+pushesPaused+`
			RETURNING gist_id, attempts, content`, owner, millis(now))
		c, err = claimed(ctx, tx, row, owner, now, remote)
		return err
	})
	return c, err
}

// Reclaim starts the next attempt at a deal after lookups did not find the deal of the
// attempt c; lookups is their number. It reports false if another process decided c in
// the meantime, if an operator paused pushes, or if the user was removed, whose deal is
// skipped then.
func (s *Store) Reclaim(ctx context.Context, c gistdeal.Claim, lookups int, owner string, now, remote time.Time) (next gistdeal.Claim, ok bool, err error) {
	err = s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE attempts SET outcome = 'not_found', lookups = $1, ended_at = $2
			WHERE gist_id = $3 AND n = $4 AND outcome = ''`, lookups, millis(now), c.Draft.GistID, c.Attempt); err != nil {
			return err
		}
		if skipped, err := skipRemoved(ctx, tx, c, gistdeal.DealSending, now); skipped || err != nil {
			return err
		}
		row := tx.QueryRowContext(ctx, `UPDATE deals SET attempts = attempts + 1, owner = $1, sent_at = $2, updated_at = $2
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5 AND NOT `+pushesPaused+`
			RETURNING gist_id, attempts, content`,
			owner, millis(now), c.Draft.GistID, c.Attempt, c.Owner)
		next, err = claimed(ctx, tx, row, owner, now, remote)
		ok = err == nil
		return err
	})
	if err == nil && !ok {
		return next, false, nil
	}
	return claimResult(next, err)
}

// skipRemoved skips the deal of the attempt c, in the given state, if its user was removed.
func skipRemoved(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, state gistdeal.DealState, now time.Time) (bool, error) {
	return changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'skipped', problem = $1, updated_at = $6, by_rule = 0
		WHERE gist_id = $2 AND state = $3 AND attempts = $4 AND owner = $5
		AND EXISTS (SELECT 1 FROM gists g JOIN users u ON u.id = g.user_id WHERE g.id = $2 AND u.state = 'removed')`,
		userRemoved, c.Draft.GistID, state, c.Attempt, c.Owner, millis(now)))
}

// claimResult reports false, without an error, if no row was claimed.
func claimResult(c gistdeal.Claim, err error) (gistdeal.Claim, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("claim a deal: %w", err)
	}
	return c, c.Attempt > 0, nil
}

// claimed records the attempt at the deal in row, and returns its claim. A deal without a
// gist fails instead, and the claim has no attempt.
func claimed(ctx context.Context, tx *sql.Tx, row *sql.Row, owner string, now, remote time.Time) (c gistdeal.Claim, err error) {
	c.Owner = owner
	var content string
	if err := row.Scan(&c.Draft.GistID, &c.Attempt, &content); err != nil {
		return c, err
	}
	if c.Draft.Content, err = contentOf(content); err != nil {
		return c, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO attempts (gist_id, n, owner, sent_at, remote_at) VALUES ($1, $2, $3, $4, $5)`,
		c.Draft.GistID, c.Attempt, owner, millis(now), millis(remote)); err != nil {
		return c, err
	}
	var since, published int64
	err = tx.QueryRowContext(ctx, `SELECT g.description, u.login, CASE WHEN g.noticed_by <> '`+gistdeal.NoticedByFirstScan+`' AND g.created_at >= u.tracked_at THEN g.created_at ELSE 0 END, a.since, a.resends FROM gists g JOIN users u ON u.id = g.user_id
		CROSS JOIN (`+inDoubt+`) a WHERE g.id = $1`, c.Draft.GistID).Scan(&c.Draft.Description, &c.Draft.Login, &published, &since, &c.Resends)
	if errors.Is(err, sql.ErrNoRows) {
		return gistdeal.Claim{}, failWithoutGist(ctx, tx, c, now)
	}
	c.Since, c.Published = fromMillis(since), fromMillis(published)
	return c, err
}

func failWithoutGist(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, now time.Time) error {
	const reason = "the gist is not in the database: track its user, then retry the deal"
	if err := endAttempt(ctx, tx, c, attemptEnd{outcome: "not_sent", reason: reason, now: now}); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE deals SET state = 'failed', problem = $1, updated_at = $3 WHERE gist_id = $2 AND state = 'sending'`, reason, c.Draft.GistID, millis(now))
	return err
}

// inDoubt selects the attempts at the gist $1 that may have created its deal: when the
// first one began on Pipedrive's clock, and how many of them lookups did not find.
const inDoubt = `SELECT min(remote_at) AS since, count(CASE outcome WHEN 'not_found' THEN 1 END) AS resends
	FROM attempts WHERE gist_id = $1 AND outcome IN ('', 'not_found')`

// attemptEnd is the end of an attempt.
type attemptEnd struct {
	outcome string
	dealID  int64
	lookups int
	reason  string
	now     time.Time
}

// endAttempt records the end of an attempt, even if another process owns the deal now.
// The outcome is a fact, and the id of a created deal must not be lost.
func endAttempt(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, e attemptEnd) error {
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET outcome = $1, deal_id = $2, lookups = $3, reason = $4, ended_at = $5
		WHERE gist_id = $6 AND n = $7 AND owner = $8`,
		e.outcome, sql.NullInt64{Int64: e.dealID, Valid: e.dealID != 0}, e.lookups, gistdeal.StorableText(e.reason), millis(e.now), c.Draft.GistID, c.Attempt, c.Owner)
	return err
}

// RecordCreated records that the attempt c created the deal dealID, even if c is no
// longer the current attempt. If the gist already has another deal, dealID is recorded
// as a duplicate. RecordCreated reports false if the gist still has no deal, because
// dealID is recorded as the deal of another gist.
func (s *Store) RecordCreated(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) (bool, error) {
	end := attemptEnd{outcome: "created", dealID: dealID, now: now}
	known := false
	_, err := s.settle(ctx, c, end, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'created', deal_id = $1, problem = '', updated_at = $3 WHERE gist_id = $2 AND state <> 'created'
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID, millis(now)))
		if err == nil && ok {
			err = countDelay(ctx, tx, c, now)
		}
		if err != nil {
			return false, err
		}
		var recorded int64
		err = tx.QueryRowContext(ctx, `SELECT coalesce(max(deal_id), 0) FROM deals WHERE gist_id = $1 AND state = 'created'`, c.Draft.GistID).Scan(&recorded)
		if known = recorded != 0; err != nil || !known {
			return ok, err
		}
		return ok, addDuplicates(ctx, tx, map[string][]int64{c.Draft.GistID: {recorded, dealID}}, now)
	})
	return known, err
}

// Refuse records that Pipedrive refused the attempt c for a permanent reason.
func (s *Store) Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	_, err := s.settle(ctx, c, attemptEnd{outcome: "refused", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'failed', problem = $1, updated_at = $5
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3 AND owner = $4`, gistdeal.StorableText(reason), c.Draft.GistID, c.Attempt, c.Owner, millis(now)))
	})
	return err
}

// RecordNoDeal records that Pipedrive accepted the attempt c without naming a deal. The
// deal has failed for now: if it is created later after all, it is adopted, and a retry
// begins with lookups, as after an attempt whose deal lookups did not find.
func (s *Store) RecordNoDeal(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	_, err := s.settle(ctx, c, attemptEnd{outcome: "not_found", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'failed', problem = $1, updated_at = $5
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3 AND owner = $4`, gistdeal.StorableText(reason), c.Draft.GistID, c.Attempt, c.Owner, millis(now)))
	})
	return err
}

// GiveBack records that the attempt c certainly created no deal. The deal waits until each
// other user had a turn, so that it does not delay the others; with behind also behind the
// new gists, as one of a backfill. After several attempts it loses its priority. If its user was removed, it is
// skipped instead. GiveBack reports false if the deal stays sending because lookups did
// not find the deal of an earlier attempt: that attempt needs lookups again.
func (s *Store) GiveBack(ctx context.Context, c gistdeal.Claim, reason string, behind bool, now time.Time) (bool, error) {
	return s.settle(ctx, c, attemptEnd{outcome: "not_sent", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		h, err := heads(ctx, tx)
		if err != nil {
			return false, err
		}
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'queued', problem = $1, queued_at = $2, updated_at = $2, `+h.giveWay(behind)+`
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5
			AND NOT EXISTS (SELECT 1 FROM attempts WHERE gist_id = $3 AND outcome = 'not_found')`,
			gistdeal.StorableText(reason), millis(now), c.Draft.GistID, c.Attempt, c.Owner))
		if err != nil || !ok {
			return ok, err
		}
		_, err = skipRemoved(ctx, tx, c, gistdeal.DealQueued, now)
		return true, err
	})
}

// Hold records that the attempt c certainly created no deal, because a rule wanted something
// that Pipedrive does not have any more. The deal awaits approval, and so do the queued deals
// that the same version of the rule decided, because they want the same. A deal of a removed
// user is skipped instead. Hold reports false in the case in which GiveBack does.
func (s *Store) Hold(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) (bool, error) {
	return s.settle(ctx, c, attemptEnd{outcome: "not_sent", reason: reason, now: now}, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		var rule string
		var version int64
		if err := tx.QueryRowContext(ctx, `SELECT rule, rules_version FROM deals WHERE gist_id = $1`, c.Draft.GistID).Scan(&rule, &version); err != nil {
			return false, err
		}
		problem := gistdeal.StorableText(fmt.Sprintf("awaiting approval: the rule %q: %s", rule, reason))
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'awaiting_approval', problem = $1, updated_at = $2
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5
			AND NOT EXISTS (SELECT 1 FROM attempts WHERE gist_id = $3 AND outcome = 'not_found')`,
			problem, millis(now), c.Draft.GistID, c.Attempt, c.Owner))
		if err != nil || !ok {
			return ok, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE deals SET state = 'awaiting_approval', problem = $1, updated_at = $2
			WHERE state = 'queued' AND rule <> '' AND rule = $3 AND rules_version = $4 AND content <> ''
			AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.gist_id = deals.gist_id AND a.outcome = 'not_found')`,
			problem, millis(now), rule, version); err != nil {
			return false, err
		}
		_, err = skipRemoved(ctx, tx, c, gistdeal.DealAwaitingApproval, now)
		return true, err
	})
}

// AdoptInDoubt records that lookups found the deal dealID for the attempt c in doubt, and
// the living deals of the gist. It reports false if dealID is the deal of another gist or
// the attempt was decided in the meantime.
func (s *Store) AdoptInDoubt(ctx context.Context, c gistdeal.Claim, dealID int64, living []int64, lookups int, now time.Time) (bool, error) {
	var adopted bool
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		adopted, err = changed(tx.ExecContext(ctx, `UPDATE deals SET state = 'created', deal_id = $1, problem = '', updated_at = $4
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID, c.Attempt, millis(now)))
		if err != nil || !adopted {
			return err
		}
		if err := endAttempt(ctx, tx, c, attemptEnd{outcome: "adopted", dealID: dealID, lookups: lookups, now: now}); err != nil {
			return err
		}
		return addDuplicates(ctx, tx, map[string][]int64{c.Draft.GistID: living}, now)
	})
	if err != nil {
		return false, fmt.Errorf("adopt deal %d for gist %s: %w", dealID, c.Draft.GistID, err)
	}
	return adopted, nil
}

// settle records the end of an attempt and calls change in the same transaction. It
// returns the result of change.
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

// InDoubt returns the last attempt of each deal that is sending.
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

// Due reports whether a deal can be claimed, and whether queued deals wait for a catch-up:
// people may have created their deals by hand. Both are false while pushes are paused.
func (s *Store) Due(ctx context.Context) (due, catchUp bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT
		EXISTS (SELECT 1 FROM deals WHERE state = 'queued' AND catch_up = 0) AND NOT `+pushesPaused+`,
		EXISTS (SELECT 1 FROM deals WHERE state = 'queued' AND catch_up <> 0) AND NOT `+pushesPaused).Scan(&due, &catchUp)
	return due, catchUp, err
}
