package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gistdeal"
)

// loggedChanges is the number of changes of one transaction that are logged one by one.
const loggedChanges = 20

// personTx runs f in a transaction, and adds the changes that f returns to the audit log,
// so that there is neither a change without its entry nor the reverse. The actor is the
// caller in ctx.
func (s *Store) personTx(ctx context.Context, now time.Time, f func(context.Context, *sql.Tx) ([]gistdeal.AuditEntry, error)) error {
	var entries []gistdeal.AuditEntry
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if entries, err = f(ctx, tx); err != nil || len(entries) == 0 {
			return err
		}
		return s.record(ctx, tx, now, entries)
	})
	if err == nil {
		s.logEntries(ctx, entries)
	}
	return err
}

// record adds entries to the audit log, and deletes those that are too old.
func (s *Store) record(ctx context.Context, tx *sql.Tx, now time.Time, entries []gistdeal.AuditEntry) error {
	rows := make(map[int]auditRow, len(entries))
	for i, e := range entries {
		rows[i] = auditRow{string(e.Action), gistdeal.StorableText(e.Target), e.UserID, gistdeal.StorableText(e.Before), gistdeal.StorableText(e.After), gistdeal.StorableText(e.Reason), e.Count}
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `UPDATE counters SET value = value + $1 WHERE name = 'audit_log_id' RETURNING value`, len(entries)).Scan(&last); err != nil {
		return err
	}
	by := gistdeal.CallerOf(ctx)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_log (id, at, actor, source, address, action, target, user_id, old_value, new_value, reason, count)
		SELECT CAST($1 AS BIGINT) + CAST(key AS BIGINT), $2, $3, $4, $5, value ->> 'action', value ->> 'target', CAST(value ->> 'user_id' AS BIGINT),
			value ->> 'before', value ->> 'after', value ->> 'reason', CAST(value ->> 'count' AS BIGINT) FROM json_each($6)`,
		last-int64(len(entries))+1, millis(now), gistdeal.StorableText(by.Name), string(by.Source), by.Address, string(object))
	if err != nil || s.keepEntries == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM audit_log WHERE at < $1`, millis(now.Add(-s.keepEntries)))
	return err
}

// auditRow is an entry in the JSON object of a bulk insert.
type auditRow struct {
	Action string `json:"action"`
	Target string `json:"target"`
	UserID int64  `json:"user_id"`
	Before string `json:"before"`
	After  string `json:"after"`
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// logEntries logs entries of the audit log; many of them as one event.
func (s *Store) logEntries(ctx context.Context, entries []gistdeal.AuditEntry) {
	by := gistdeal.CallerOf(ctx)
	if len(entries) > loggedChanges {
		s.log.Info("changes recorded", "action", entries[0].Action, "entries", len(entries), "actor", by.Name, "source", by.Source, "address", by.Address)
		return
	}
	for _, e := range entries {
		s.log.Info("change recorded", "action", e.Action, "target", e.Target, "before", e.Before, "after", e.After, "reason", e.Reason,
			"count", e.Count, "actor", by.Name, "source", by.Source, "address", by.Address)
	}
}

// RecordFailedLogIn adds a failed log-in to the audit log.
func (s *Store) RecordFailedLogIn(ctx context.Context, reason string, now time.Time) error {
	err := s.personTx(ctx, now, func(context.Context, *sql.Tx) ([]gistdeal.AuditEntry, error) {
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionLogInFailed, Reason: reason}}, nil
	})
	if err != nil {
		return fmt.Errorf("record a failed log-in: %w", err)
	}
	return nil
}

// RecordRestore adds to the audit log of a restored database the backup that it is from, and
// ends all log-ins: some of them may have ended since the backup.
func (s *Store) RecordRestore(ctx context.Context, backup string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions`)
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionRestore, Target: backup}}, err
	})
	if err != nil {
		return fmt.Errorf("record the restore: %w", err)
	}
	return nil
}

// AuditLog returns up to limit entries that match f, with ids below before, the last one
// first. A before of 0 means no bound.
func (s *Store) AuditLog(ctx context.Context, f gistdeal.AuditFilter, before int64, limit int) ([]gistdeal.AuditEntry, error) {
	w := where{}
	if before > 0 {
		w.add("id < ?", before)
	}
	for column, values := range map[string][]string{"actor": f.Actors, "source": stringsOf(f.Sources), "action": stringsOf(f.Actions)} {
		if len(values) > 0 {
			w.in(column, values)
		}
	}
	if f.Target != "" {
		w.add("lower(target) = ?", gistdeal.LoginKey(f.Target))
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", millis(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("at < ?", millis(f.Until))
	}
	clauses := w.sql() + " ORDER BY id DESC LIMIT " + w.arg(limit)
	rows, err := s.read.QueryContext(ctx, `SELECT id, at, actor, source, address, action, target, user_id, old_value, new_value, reason, count FROM audit_log`+clauses, w.args...)
	return collect(rows, err, func(row *sql.Rows) (e gistdeal.AuditEntry, err error) {
		var at int64
		err = row.Scan(&e.ID, &at, &e.Actor, &e.Source, &e.Address, &e.Action, &e.Target, &e.UserID, &e.Before, &e.After, &e.Reason, &e.Count)
		e.At = fromMillis(at)
		return e, err
	})
}

// linkEntries links the entries about a login to its user, who was not known before.
func linkEntries(ctx context.Context, tx *sql.Tx, u gistdeal.User) error {
	_, err := tx.ExecContext(ctx, `UPDATE audit_log SET user_id = $1 WHERE user_id = 0 AND lower(target) = $2 AND action IN ($3, $4, $5)`,
		u.ID, gistdeal.LoginKey(u.Login), gistdeal.ActionAddUser, gistdeal.ActionAllowAgain, gistdeal.ActionCancelRequest)
	return err
}

// forgetEntries empties the texts of the entries about a user.
func forgetEntries(ctx context.Context, tx *sql.Tx, u gistdeal.User) error {
	_, err := tx.ExecContext(ctx, `UPDATE audit_log SET target = '', user_id = 0, old_value = '', new_value = '', reason = ''
		WHERE user_id = $1`, u.ID)
	return err
}
