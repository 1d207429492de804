package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// RequestAudit queues an audit for the leader, unless there is one with that id.
func (s *Store) RequestAudit(ctx context.Context, o gistdeal.AuditRequest) error {
	err := s.personTx(ctx, o.RequestedAt, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		added, err := changed(tx.ExecContext(ctx, `INSERT INTO audits (id, archived, repair, recreate, delete_duplicate, requested_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, o.ID, boolean(o.Archived), boolean(o.Repair), o.Recreate, o.DeleteDuplicate, millis(o.RequestedAt)))
		if err != nil || !added {
			return nil, err
		}
		if o.Nightly {
			return nil, countOrder(ctx, tx)
		}
		return []gistdeal.AuditEntry{auditEntry(o)}, countOrder(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("request an audit: %w", err)
	}
	return nil
}

// auditEntry returns the entry of the audit log for an audit.
func auditEntry(o gistdeal.AuditRequest) gistdeal.AuditEntry {
	e := gistdeal.AuditEntry{Action: gistdeal.ActionAudit, Target: o.Recreate}
	switch {
	case o.Recreate != "":
		e.After = "recreate the deal"
	case o.DeleteDuplicate != 0:
		e.Target, e.After = strconv.FormatInt(o.DeleteDuplicate, 10), "delete the duplicate deal"
	case o.Repair:
		e.After = "repair"
	default:
		e.After = "compare"
	}
	return e
}

// NextAudit returns the oldest pending audit, and when the last full audit ended, zero if
// there was none. It reports false if none is pending.
func (s *Store) NextAudit(ctx context.Context) (o gistdeal.AuditRequest, ok bool, last time.Time, err error) {
	var ended, archived, repair, requested int64
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(max(ended_at), 0) FROM audits WHERE recreate = '' AND delete_duplicate = 0`).Scan(&ended)
	if err != nil {
		return o, false, last, err
	}
	last = fromMillis(ended)
	err = s.db.QueryRowContext(ctx, `SELECT id, archived, repair, recreate, delete_duplicate, requested_at FROM audits WHERE ended_at = 0
		ORDER BY requested_at, id LIMIT 1`).Scan(&o.ID, &archived, &repair, &o.Recreate, &o.DeleteDuplicate, &requested)
	o.Archived, o.Repair, o.RequestedAt = archived != 0, repair != 0, fromMillis(requested)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, last, nil
	}
	return o, err == nil, last, err
}

// keepAudits is how long the store keeps reports.
const keepAudits = 90 * 24 * time.Hour

// EndAudit stores the report of an audit and deletes old reports.
func (s *Store) EndAudit(ctx context.Context, a gistdeal.Audit) error {
	report, err := json.Marshal(a)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ended, err := changed(tx.ExecContext(ctx, `UPDATE audits SET ended_at = $1, report = $2 WHERE id = $3 AND ended_at = 0`,
			millis(a.EndedAt), gistdeal.StorableText(string(report)), a.ID))
		if err != nil {
			return err
		}
		if ended {
			facts := gistdeal.EventFacts{AuditID: a.ID, Reason: a.Problem, Count: a.Different()}
			if err := addEvents(ctx, tx, gistdeal.Event{Type: gistdeal.EventAuditEnded, At: a.EndedAt, EventFacts: facts}); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM audits WHERE ended_at <> 0 AND ended_at < $1`, millis(a.EndedAt.Add(-keepAudits)))
		return err
	})
	if err != nil {
		return fmt.Errorf("store the report of audit %s: %w", a.ID, err)
	}
	return nil
}

// Audit returns the audit with that id. Its EndedAt is zero while it is pending or in
// progress. The error is NotFound if there is none.
func (s *Store) Audit(ctx context.Context, id string) (a gistdeal.Audit, err error) {
	var requested int64
	var report string
	err = s.read.QueryRowContext(ctx, `SELECT requested_at, report FROM audits WHERE id = $1`, id).Scan(&requested, &report)
	if err != nil {
		return a, notFound(err, "audit %q does not exist", id)
	}
	a = gistdeal.Audit{ID: id, RequestedAt: fromMillis(requested), Counts: map[gistdeal.DiscrepancyKind]int{}, Discrepancies: []gistdeal.Discrepancy{}}
	if report != "" {
		err = json.Unmarshal([]byte(report), &a)
	}
	return a, err
}

// ArchivedDeals returns the living archived deals of gists as of the last EndCatchUp, and
// its time.
func (s *Store) ArchivedDeals(ctx context.Context) (archived []gistdeal.RemoteDeal, known time.Time, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if known, err = caughtUpTo(ctx, tx); err != nil {
			return err
		}
		rows, err := queryIn(ctx, tx, `SELECT deal_id, gist_id FROM archived_deals ORDER BY deal_id`)
		archived, err = collect(rows, err, func(row *sql.Rows) (d gistdeal.RemoteDeal, err error) {
			d.Archived = true
			return d, row.Scan(&d.ID, &d.GistID)
		})
		return err
	})
	if err != nil {
		return nil, known, fmt.Errorf("read archived deals: %w", err)
	}
	return archived, known, nil
}

// LastDealID returns the highest id of a recorded deal, 0 if there is none.
func (s *Store) LastDealID(ctx context.Context) (id int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(deal_id), 0) FROM deals`).Scan(&id)
	return id, err
}

// AuditRows returns up to limit gists with their deals, ordered by gist id, starting
// after the gist id after.
func (s *Store) AuditRows(ctx context.Context, after string, limit int) ([]gistdeal.AuditRow, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT g.id, u.login, coalesce(d.state, ''), coalesce(d.deal_id, 0), g.gone_at <> 0,
			EXISTS (SELECT 1 FROM attempts a WHERE a.deal_id = d.deal_id AND a.gist_id = g.id) OR EXISTS (SELECT 1 FROM own_deals o WHERE o.deal_id = d.deal_id)
		FROM gists g JOIN users u ON u.id = g.user_id LEFT JOIN deals d ON d.gist_id = g.id
		WHERE g.id > $1 ORDER BY g.id LIMIT $2`, after, limit)
	return collect(rows, err, func(row *sql.Rows) (r gistdeal.AuditRow, err error) {
		return r, row.Scan(&r.GistID, &r.Login, &r.State, &r.DealID, &r.Gone, &r.Ours)
	})
}

// MarkGone marks the gists of a user that are not in listed as gone, and the others as
// listed.
func (s *Store) MarkGone(ctx context.Context, userID int64, listed []string, now time.Time) error {
	object, err := keys(listed)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE gists SET gone_at = CASE WHEN id IN (SELECT key FROM json_each($1)) THEN 0 ELSE CAST($2 AS BIGINT) END, changed_at = $2
		WHERE user_id = $3 AND (gone_at = 0) <> (id IN (SELECT key FROM json_each($1)))`, object, millis(now), userID)
	if err != nil {
		return fmt.Errorf("mark gone gists of user %d: %w", userID, err)
	}
	return nil
}

// keys returns a JSON object with the names as keys, for a bulk statement.
func keys(names []string) (string, error) {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	object, err := json.Marshal(set)
	return string(object), err
}

// boolean returns the form of b in SQL: 1 or 0.
func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
