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

// RequestAudit asks the process that works for an audit.
func (s *Store) RequestAudit(ctx context.Context, o gistdeal.AuditRequest) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO audits (id, repair, recreate, delete_duplicate, requested_at) VALUES ($1, $2, $3, $4, $5)`,
		o.ID, boolean(o.Repair), o.Recreate, o.DeleteDuplicate, millis(o.RequestedAt))
	if err != nil {
		return fmt.Errorf("order an audit: %w", err)
	}
	return nil
}

// NextAudit returns the audit that has waited longest; it reports false if none waits.
func (s *Store) NextAudit(ctx context.Context) (o gistdeal.AuditRequest, ok bool, err error) {
	var repair, asked int64
	err = s.db.QueryRowContext(ctx, `SELECT id, repair, recreate, delete_duplicate, requested_at FROM audits WHERE ended_at = 0
		ORDER BY requested_at, id LIMIT 1`).Scan(&o.ID, &repair, &o.Recreate, &o.DeleteDuplicate, &asked)
	o.Repair, o.RequestedAt = repair != 0, fromMillis(asked)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	return o, err == nil, err
}

// keepAudits is how long reports are kept.
const keepAudits = 90 * 24 * time.Hour

// EndAudit keeps the report of an audit that has ended, and drops old ones.
func (s *Store) EndAudit(ctx context.Context, a gistdeal.Audit) error {
	report, err := json.Marshal(a)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE audits SET ended_at = $1, report = $2 WHERE id = $3 AND ended_at = 0`,
			millis(a.EndedAt), clean(string(report)), a.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM audits WHERE ended_at <> 0 AND ended_at < $1`, millis(a.EndedAt.Add(-keepAudits)))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the report of an audit: %w", err)
	}
	return nil
}

// Audit returns an audit; EndedAt is zero while it waits or goes on. NotFound if
// there is none of that id.
func (s *Store) Audit(ctx context.Context, id string) (a gistdeal.Audit, err error) {
	var asked int64
	var report string
	err = s.read.QueryRowContext(ctx, `SELECT requested_at, report FROM audits WHERE id = $1`, id).Scan(&asked, &report)
	if err != nil {
		return a, notFound(err, "there is no audit %q", id)
	}
	a.ID, a.RequestedAt = id, fromMillis(asked)
	if report != "" {
		err = json.Unmarshal([]byte(report), &a)
	}
	return a, err
}

// LastAudit returns when the last audit ended that compared everything, zero if none did.
func (s *Store) LastAudit(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(ended_at), 0) FROM audits WHERE recreate = '' AND delete_duplicate = 0`).Scan(&ms)
	return fromMillis(ms), err
}

// AuditRows returns up to limit gists with their deals, by gist id, from the one
// that follows the gist id after.
func (s *Store) AuditRows(ctx context.Context, after string, limit int) ([]gistdeal.AuditRow, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT g.id, u.login, coalesce(d.state, ''), coalesce(d.deal_id, 0), g.gone_at <> 0,
			EXISTS (SELECT 1 FROM attempts a WHERE a.deal_id = d.deal_id AND a.gist_id = g.id)
		FROM gists g JOIN users u ON u.id = g.user_id LEFT JOIN deals d ON d.gist_id = g.id
		WHERE g.id > $1 ORDER BY g.id LIMIT $2`, after, limit)
	return collect(rows, err, func(row *sql.Rows) (r gistdeal.AuditRow, err error) {
		return r, row.Scan(&r.GistID, &r.Login, &r.State, &r.DealID, &r.Gone, &r.Ours)
	})
}

// MarkGone records which gists of a user GitHub no longer lists: all that it
// did not list just now.
func (s *Store) MarkGone(ctx context.Context, userID int64, listed []string, now time.Time) error {
	object, err := keys(listed)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE gists SET gone_at = CASE WHEN id IN (SELECT key FROM json_each($1)) THEN 0 ELSE CAST($2 AS BIGINT) END
		WHERE user_id = $3 AND (gone_at = 0) <> (id IN (SELECT key FROM json_each($1)))`, object, millis(now), userID)
	if err != nil {
		return fmt.Errorf("mark gists of user %d that are gone: %w", userID, err)
	}
	return nil
}

// keys returns a JSON object with these names, for a bulk statement.
func keys(names []string) (string, error) {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	object, err := json.Marshal(set)
	return string(object), err
}

// boolean is how a bool enters SQL.
func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
