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

// Claim takes the deal that has waited longest and is due at now from found to
// sending, and records the attempt. It reports false if none is due. Nothing
// may be sent before Claim has returned: what it wrote is on the disk then.
func (s *Store) Claim(ctx context.Context, owner string, now time.Time) (c gistdeal.Claim, ok bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		// The state is tested outside of the sub-select too: without that,
		// two sessions of PostgreSQL were seen to take the same row.
		row := tx.QueryRowContext(ctx, `
			UPDATE deals SET state = 'sending', attempts = attempts + 1, owner = $1, sent_at = $2, problem = ''
			WHERE state = 'found' AND gist_id = (
				SELECT gist_id FROM deals WHERE state = 'found' AND next_attempt_at <= $2
				ORDER BY next_attempt_at, gist_id LIMIT 1)
			RETURNING gist_id, attempts`, owner, millis(now))
		c, err = s.claimed(ctx, tx, row, owner, now)
		return err
	})
	return claimResult(c, err)
}

// Reclaim starts the next attempt at a deal whose attempt c was found to have
// made none, after so many looks. It reports false if somebody else decided
// about the deal in the meantime.
func (s *Store) Reclaim(ctx context.Context, c gistdeal.Claim, looks int, owner string, now time.Time) (next gistdeal.Claim, ok bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `UPDATE deals SET attempts = attempts + 1, owner = $1, sent_at = $2
			WHERE gist_id = $3 AND state = 'sending' AND attempts = $4 AND owner = $5 RETURNING gist_id, attempts`,
			owner, millis(now), c.Draft.GistID, c.Attempt, c.Owner)
		if next, err = s.claimed(ctx, tx, row, owner, now); err != nil {
			return err
		}
		return endAttempt(ctx, tx, c, attemptEnd{outcome: "absent", looks: looks, now: now})
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

// claimed completes the claim whose row was just changed.
func (s *Store) claimed(ctx context.Context, tx *sql.Tx, row *sql.Row, owner string, now time.Time) (c gistdeal.Claim, err error) {
	c.Owner, c.SentAt = owner, now
	if err := row.Scan(&c.Draft.GistID, &c.Attempt); err != nil {
		return c, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO attempts (gist_id, n, owner, sent_at) VALUES ($1, $2, $3, $4)`,
		c.Draft.GistID, c.Attempt, owner, millis(now)); err != nil {
		return c, err
	}
	err = tx.QueryRowContext(ctx, `SELECT g.description, u.login FROM gists g JOIN users u ON u.id = g.user_id WHERE g.id = $1`,
		c.Draft.GistID).Scan(&c.Draft.Description, &c.Draft.Login)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("deal %s has no gist", c.Draft.GistID)
	}
	return c, err
}

// attemptEnd is what an attempt came to.
type attemptEnd struct {
	outcome string
	dealID  int64
	looks   int
	reason  string
	now     time.Time
}

// endAttempt writes the end of an attempt, whoever owns the deal's row by now:
// what became of it is a fact, and the id of a deal that was made above all.
func endAttempt(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, e attemptEnd) error {
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET outcome = $1, deal_id = $2, looks = $3, reason = $4, ended_at = $5
		WHERE gist_id = $6 AND n = $7 AND owner = $8`,
		e.outcome, sql.NullInt64{Int64: e.dealID, Valid: e.dealID != 0}, e.looks, clean(e.reason), millis(e.now), c.Draft.GistID, c.Attempt, c.Owner)
	return err
}

// Made records that the attempt c made the deal dealID, even if c is no longer
// the deal's present attempt: that the deal exists is a fact. If the gist has
// another deal by now, dealID is recorded as surplus.
func (s *Store) Made(ctx context.Context, c gistdeal.Claim, dealID int64, now time.Time) error {
	return s.settle(ctx, c, attemptEnd{outcome: "made", dealID: dealID, now: now}, func(tx *sql.Tx) (sql.Result, error) {
		return tx.ExecContext(ctx, `UPDATE deals SET state = 'made', deal_id = $1, problem = '' WHERE gist_id = $2 AND state <> 'made'
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID)
	})
}

// Refuse records that the attempt c was refused for a reason that will not pass by itself.
func (s *Store) Refuse(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	return s.settle(ctx, c, attemptEnd{outcome: "refused", reason: reason, now: now}, func(tx *sql.Tx) (sql.Result, error) {
		return tx.ExecContext(ctx, `UPDATE deals SET state = 'failed', problem = $1
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3 AND owner = $4`, clean(reason), c.Draft.GistID, c.Attempt, c.Owner)
	})
}

// GiveBack records that the attempt c surely made no deal: found again, and due at once.
func (s *Store) GiveBack(ctx context.Context, c gistdeal.Claim, reason string, now time.Time) error {
	return s.settle(ctx, c, attemptEnd{outcome: "not sent", reason: reason, now: now}, func(tx *sql.Tx) (sql.Result, error) {
		return tx.ExecContext(ctx, `UPDATE deals SET state = 'found', problem = $1
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3 AND owner = $4`, clean(reason), c.Draft.GistID, c.Attempt, c.Owner)
	})
}

// AdoptUnknown records that a look found dealID to be what the attempt c, whose
// outcome was unknown, had made, and that surplus are further deals of its gist.
func (s *Store) AdoptUnknown(ctx context.Context, c gistdeal.Claim, dealID int64, surplus []int64, looks int, now time.Time) error {
	err := s.settle(ctx, c, attemptEnd{outcome: "adopted", dealID: dealID, looks: looks, now: now}, func(tx *sql.Tx) (sql.Result, error) {
		return tx.ExecContext(ctx, `UPDATE deals SET state = 'made', deal_id = $1, problem = ''
			WHERE gist_id = $2 AND state = 'sending' AND attempts = $3
			AND NOT EXISTS (SELECT 1 FROM deals other WHERE other.deal_id = $1)`, dealID, c.Draft.GistID, c.Attempt)
	})
	if err != nil || len(surplus) == 0 {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		return addSurplus(ctx, tx, map[string][]int64{c.Draft.GistID: surplus}, now)
	})
}

// settle writes the end of an attempt and, if the attempt is still the deal's
// present one, the deal's new state.
func (s *Store) settle(ctx context.Context, c gistdeal.Claim, e attemptEnd, change func(*sql.Tx) (sql.Result, error)) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := endAttempt(ctx, tx, c, e); err != nil {
			return err
		}
		ok, err := changed(change(tx))
		if err != nil || ok || e.dealID == 0 {
			return err
		}
		return addSurplus(ctx, tx, map[string][]int64{c.Draft.GistID: {e.dealID}}, e.now)
	})
	if err != nil {
		return fmt.Errorf("record attempt %d at gist %s as %s: %w", c.Attempt, c.Draft.GistID, e.outcome, err)
	}
	return nil
}

// surplusRow is a further deal inside the JSON object of a bulk insert.
type surplusRow struct {
	GistID string `json:"gist"`
}

// adoptionRow is a gist's deal inside the JSON object of a bulk insert.
type adoptionRow struct {
	DealID int64 `json:"deal"`
}

// addSurplus records those of the given deals, by gist, that are not the one
// that their gist is known to have.
func addSurplus(ctx context.Context, tx *sql.Tx, deals map[string][]int64, now time.Time) error {
	rows := map[int64]surplusRow{}
	for gistID, ids := range deals {
		for _, id := range ids {
			rows[id] = surplusRow{GistID: gistID}
		}
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO surplus (deal_id, gist_id, noticed_at)
		SELECT CAST(key AS BIGINT), value ->> 'gist', $1 FROM json_each($2)
		WHERE EXISTS (SELECT 1 FROM deals WHERE gist_id = value ->> 'gist' AND deal_id <> CAST(key AS BIGINT))
		ON CONFLICT (deal_id) DO NOTHING`, millis(now), string(object))
	return err
}

// Unknown returns the attempts whose outcome is not known: of each deal that is sending, the last.
func (s *Store) Unknown(ctx context.Context) ([]gistdeal.Claim, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT gist_id, attempts, owner, sent_at FROM deals WHERE state = 'sending' ORDER BY gist_id`)
	return collect(rows, err, func(row *sql.Rows) (c gistdeal.Claim, err error) {
		var sent int64
		err = row.Scan(&c.Draft.GistID, &c.Attempt, &c.Owner, &sent)
		c.SentAt = fromMillis(sent)
		return c, err
	})
}

// Due reports whether a deal waits to be pushed at now.
func (s *Store) Due(ctx context.Context, now time.Time) (due bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deals WHERE state = 'found' AND next_attempt_at <= $1)`, millis(now)).Scan(&due)
	return due, err
}

// Adopt takes over deals that exist in Pipedrive: the one of each gist becomes
// made, whether the gist is known yet or not, and further ones surplus.
// Attempts of unknown outcome are left alone, they are decided by looks. It
// returns the ids of the gists whose deal was new to the database.
func (s *Store) Adopt(ctx context.Context, one map[string]int64, surplus map[string][]int64, now time.Time) (adopted []string, err error) {
	rows := make(map[string]adoptionRow, len(one))
	all := map[string][]int64{}
	for gistID, id := range one {
		rows[gistID] = adoptionRow{DealID: id}
		all[gistID] = append(slices.Clone(surplus[gistID]), id)
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		found, err := tx.QueryContext(ctx, `
			INSERT INTO deals (gist_id, state, deal_id)
			SELECT key, 'made', CAST(value ->> 'deal' AS BIGINT) FROM json_each($1)
			WHERE NOT EXISTS (SELECT 1 FROM deals WHERE deal_id = CAST(value ->> 'deal' AS BIGINT))
			ON CONFLICT (gist_id) DO UPDATE SET state = 'made', deal_id = excluded.deal_id, problem = ''
			WHERE deals.state IN ('found', 'failed', 'skipped')
			RETURNING gist_id`, string(object))
		adopted, err = collect(found, err, func(row *sql.Rows) (id string, err error) { return id, row.Scan(&id) })
		if err != nil {
			return err
		}
		return addSurplus(ctx, tx, all, now)
	})
	if err != nil {
		return nil, fmt.Errorf("adopt %d deals: %w", len(one), err)
	}
	return adopted, nil
}
