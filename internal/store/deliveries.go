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

const (
	// keepDeliveries is how long ended deliveries are kept, and keptDeliveries the most of a
	// webhook, the last ones.
	keepDeliveries = 14 * 24 * time.Hour
	keptDeliveries = 10_000
	// MaxPending is the most messages of a webhook that wait for another attempt. With that
	// many, those behind them wait too.
	MaxPending = 1000
)

const deliveryColumns = `event_id, type, turn, state, attempts, created_at, tried_at, next_at, status, problem, took, deferred`

func scanDelivery(row interface{ Scan(...any) error }) (d gistdeal.Delivery, err error) {
	var created, tried, next int64
	var deferred string
	err = row.Scan(&d.ID, &d.Type, &d.Order, &d.State, &d.Attempts, &created, &tried, &next, &d.Status, &d.Problem, &d.Took, &deferred)
	d.CreatedAt, d.TriedAt, d.NextAt = fromMillis(created), fromMillis(tried), fromMillis(next)
	d.EventID, d.MessageID = max(d.ID, 0), gistdeal.MessageID(d.ID)
	if err == nil && deferred != "" {
		err = json.Unmarshal([]byte(deferred), &d.Deferred)
	}
	return d, err
}

// Pending returns the messages of a webhook that wait for another attempt, in the order of
// their events. Tests come first.
func (s *Store) Pending(ctx context.Context, webhookID string) ([]gistdeal.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE webhook_id = $1 AND state = 'pending' ORDER BY event_id`, webhookID)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.Delivery, error) { return scanDelivery(row) })
}

// RecordDelivery stores the result of an attempt, or that a message waits behind another, and
// the state of its webhook, whose cursor never goes back. It changes nothing once the webhook
// was deleted. What a person changed meanwhile stays, and an answer of the old URL decides nothing.
// A message about a user that was erased meanwhile is not stored.
func (s *Store) RecordDelivery(ctx context.Context, w gistdeal.Webhook, d gistdeal.Delivery) error {
	deferred := ""
	if d.Deferred != nil {
		text, err := json.Marshal(d.Deferred)
		if err != nil {
			return err
		}
		deferred = gistdeal.StorableText(string(text))
	}
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO deliveries (webhook_id, event_id, type, turn, state, attempts, created_at, tried_at, next_at, status, problem, took, deferred)
			SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT),
				CAST($9 AS BIGINT), CAST($10 AS BIGINT), CASE WHEN changes = CAST($13 AS BIGINT) THEN CAST($11 AS TEXT) ELSE '' END, CAST($12 AS BIGINT),
				CASE WHEN changes = CAST($13 AS BIGINT) THEN CAST($14 AS TEXT) ELSE '' END
			FROM webhooks WHERE id = CAST($1 AS TEXT) AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = CAST($2 AS BIGINT) AND CAST($4 AS TEXT) <> '' AND CAST($4 AS TEXT) <>
				CASE WHEN e.gist_id <> '' THEN e.gist_id WHEN e.user_id <> 0 THEN 'user:' || CAST(e.user_id AS TEXT) ELSE '' END)
			ON CONFLICT (webhook_id, event_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, tried_at = excluded.tried_at, next_at = excluded.next_at,
				status = excluded.status, problem = excluded.problem, took = excluded.took, deferred = excluded.deferred`,
			w.ID, d.ID, d.Type, d.Order, d.State, d.Attempts, millis(d.CreatedAt), millis(d.TriedAt), millis(d.NextAt), d.Status, gistdeal.StorableText(d.Problem), d.Took, w.Changes, deferred); err != nil {
			return err
		}
		return updateWebhook(ctx, tx, w, d.TriedAt)
	})
	if err != nil {
		return fmt.Errorf("record a delivery to webhook %q: %w", w.Name, err)
	}
	return nil
}

// MoveCursor records that the filter of a webhook left out the events up to its cursor.
func (s *Store) MoveCursor(ctx context.Context, w gistdeal.Webhook) error {
	_, err := s.db.ExecContext(ctx, `UPDATE webhooks SET cursor = $1 WHERE id = $2 AND cursor < $1`, w.Cursor, w.ID)
	if err != nil {
		return fmt.Errorf("move the cursor of webhook %q: %w", w.Name, err)
	}
	return nil
}

// updateWebhook stores what the attempt at that time changed of a webhook: only the cursor if a
// person changed it meanwhile, or disabled it.
func updateWebhook(ctx context.Context, tx *sql.Tx, w gistdeal.Webhook, at time.Time) error {
	reason := gistdeal.StorableText(w.Reason)
	told, err := json.Marshal(w.Told)
	if err != nil {
		return err
	}
	enabled, err := changed(tx.ExecContext(ctx, `UPDATE webhooks SET cursor = CASE WHEN cursor < $1 THEN $1 ELSE cursor END, delivered_at = $2, failures = $3, failing_since = $4, next_at = $5,
			state = $6, reason = $7, told = $8 WHERE id = $9 AND state = 'enabled' AND changes = $10`,
		w.Cursor, millis(w.DeliveredAt), w.Failures, millis(w.FailingSince), millis(w.NextAt), w.State, reason, gistdeal.StorableText(string(told)), w.ID, w.Changes))
	switch {
	case err != nil:
		return err
	case !enabled:
		_, err := tx.ExecContext(ctx, `UPDATE webhooks SET cursor = CASE WHEN cursor < $1 THEN $1 ELSE cursor END WHERE id = $2`, w.Cursor, w.ID)
		return err
	case w.State == gistdeal.WebhookFailed:
		return addEvents(ctx, tx, gistdeal.Event{At: at, Type: gistdeal.EventWebhookDisabled, EventFacts: gistdeal.EventFacts{Webhook: w.Name, Reason: reason}})
	}
	return nil
}

// ResendSoon has all messages of a webhook that wait for another attempt sent at that time,
// unless they are due earlier, because its receiver works again.
func (s *Store) ResendSoon(ctx context.Context, w gistdeal.Webhook, at time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE deliveries SET next_at = $1 WHERE webhook_id = $2 AND state = 'pending' AND next_at > $1`, millis(at), w.ID)
	if err != nil {
		return fmt.Errorf("bring forward the messages of webhook %q: %w", w.Name, err)
	}
	return nil
}

// Deliveries returns up to limit messages of a webhook with event ids below before, the last
// one first, of those in the given states; all if there are none. A before of 0 means no bound.
func (s *Store) Deliveries(ctx context.Context, webhookID string, states []gistdeal.DeliveryState, before int64, limit int) ([]gistdeal.Delivery, error) {
	w := where{}
	w.add("webhook_id = ?", webhookID)
	if before != 0 {
		w.add("event_id < ?", before)
	}
	if len(states) > 0 {
		w.in("state", stringsOf(states))
	}
	clauses := w.sql() + " ORDER BY event_id DESC LIMIT " + w.arg(limit)
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries`+clauses, w.args...)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.Delivery, error) { return scanDelivery(row) })
}

// Delivery returns a message of a webhook; NotFound if it is not kept.
func (s *Store) Delivery(ctx context.Context, webhookID string, eventID int64) (gistdeal.Delivery, error) {
	d, err := scanDelivery(s.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE webhook_id = $1 AND event_id = $2`, webhookID, eventID))
	return d, notFound(err, "no message about the event %d is kept", eventID)
}

// AddTest stores a test message of a webhook, and returns its number, which is below 0.
func (s *Store) AddTest(ctx context.Context, name string, now time.Time) (id int64, err error) {
	err = s.webhookTx(ctx, name, gistdeal.ActionTestWebhook, now, func(ctx context.Context, tx *sql.Tx, w gistdeal.Webhook, e *gistdeal.AuditEntry) error {
		if w.State != gistdeal.WebhookEnabled {
			return gistdeal.Errorf(gistdeal.Invalid, "webhook %q is not enabled", name)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE webhooks SET next_at = 0 WHERE id = $1`, w.ID); err != nil {
			return err // The test does not wait for the end of a pause.
		}
		id = -millis(now)
		_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (webhook_id, event_id, type, turn, state, attempts, created_at)
			VALUES ($1, $2, $3, '', 'pending', 0, $4) ON CONFLICT (webhook_id, event_id) DO NOTHING`, w.ID, id, gistdeal.EventWebhookTest, millis(now))
		return err
	})
	return id, err
}

// Redeliver makes the messages about the given events due again, whatever became of them. The
// error is Invalid if more than MaxPending messages would wait.
func (s *Store) Redeliver(ctx context.Context, name string, events []gistdeal.Event, now time.Time) error {
	return s.webhookTx(ctx, name, gistdeal.ActionRedeliver, now, func(ctx context.Context, tx *sql.Tx, w gistdeal.Webhook, e *gistdeal.AuditEntry) error {
		e.Count = len(events)
		if w.Pending+len(events) > MaxPending {
			return gistdeal.Errorf(gistdeal.Invalid, "webhook %q can have %d messages that wait, and has %d: name fewer, or wait", name, MaxPending, w.Pending)
		}
		for _, event := range events {
			if _, err := tx.ExecContext(ctx, `INSERT INTO deliveries (webhook_id, event_id, type, turn, state, attempts, created_at) VALUES ($1, $2, $3, $4, 'pending', 0, $5)
				ON CONFLICT (webhook_id, event_id) DO UPDATE SET state = 'pending', attempts = 0, created_at = excluded.created_at, next_at = 0, status = 0, problem = ''`,
				w.ID, event.ID, event.Type, gistdeal.DeliveryOrder(event), millis(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// EventsAfter returns the number of events after one, at most limit.
func (s *Store) EventsAfter(ctx context.Context, id int64, limit int) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM events WHERE id > $1 LIMIT $2) AS counted`, id, limit).Scan(&n)
	return n, err
}

// DeleteDeliveries deletes the ended deliveries that are too old or too many.
func (s *Store) DeleteDeliveries(ctx context.Context, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM deliveries WHERE state <> 'pending' AND CASE WHEN tried_at > 0 THEN tried_at ELSE created_at END < $1`, millis(now.Add(-keepDeliveries)))
	if err != nil {
		return fmt.Errorf("delete old deliveries: %w", err)
	}
	webhooks, err := s.Webhooks(ctx)
	for _, w := range webhooks {
		if err := s.deleteBeyond(ctx, w.ID, keptDeliveries); err != nil {
			return fmt.Errorf("delete deliveries to webhook %q: %w", w.Name, err)
		}
	}
	return err
}

// deleteBeyond deletes the ended deliveries of a webhook except for the last ones.
func (s *Store) deleteBeyond(ctx context.Context, id string, kept int) error {
	var last int64 // One query finds it, so that the next one compares numbers.
	err := s.read.QueryRowContext(ctx, `SELECT event_id FROM deliveries WHERE webhook_id = $1 ORDER BY event_id DESC LIMIT 1 OFFSET $2`, id, kept).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = s.db.ExecContext(ctx, `DELETE FROM deliveries WHERE webhook_id = $1 AND event_id <= $2 AND state <> 'pending'`, id, last)
	}
	return err
}
