package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// AddWebhook stores a new webhook. It gets the events from now on. The error is a Conflict if
// the name is in use, and Invalid if there are too many webhooks.
func (s *Store) AddWebhook(ctx context.Context, w gistdeal.Webhook, k gistdeal.WebhookKeys) error {
	headers, types, err := encodeWebhook(k.Headers, w.Types)
	if err != nil {
		return err
	}
	ok := false
	err = s.personTx(ctx, w.CreatedAt, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		var webhooks int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM webhooks`).Scan(&webhooks); err != nil {
			return nil, err
		}
		if webhooks >= gistdeal.MaxWebhooks {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "there are %d webhooks, the most that are possible: delete one", webhooks)
		}
		ok, err = changed(tx.ExecContext(ctx, `INSERT INTO webhooks (id, name, kind, url, headers, types, user_id, secret, digest, quiet, zone, state, created_at, cursor)
			SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS TEXT), 'enabled', CAST($12 AS BIGINT), value
			FROM counters WHERE name = 'event_id' ON CONFLICT (name) DO NOTHING`,
			w.ID, w.Name, w.Kind, gistdeal.StorableText(k.URL), headers, types, w.UserID, k.Secret, w.Digest, w.Quiet, w.Zone, millis(w.CreatedAt)))
		if !ok {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionAddWebhook, Target: w.Name, After: gistdeal.ShownURL(w.Kind, k.URL)}}, err
	})
	if err != nil {
		return fmt.Errorf("add webhook %q: %w", w.Name, err)
	}
	if !ok {
		return gistdeal.Errorf(gistdeal.Conflict, "webhook %q already exists: delete it first, or choose another name", w.Name)
	}
	return nil
}

// encodeWebhook returns the JSON of headers and types.
func encodeWebhook(headers map[string]string, types []gistdeal.EventType) (string, string, error) {
	if headers == nil {
		headers = map[string]string{}
	}
	if types == nil {
		types = []gistdeal.EventType{}
	}
	h, err := json.Marshal(headers)
	if err != nil {
		return "", "", err
	}
	t, err := json.Marshal(types)
	return string(h), string(t), err
}

// ChangeWebhook changes a webhook. One that is enabled again continues where it ended. The
// error is NotFound if there is none of that name, and Invalid if it would have the headers
// for another host sent to a new URL.
func (s *Store) ChangeWebhook(ctx context.Context, name string, c gistdeal.WebhookChange, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		w, k, err := webhookIn(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		state, reason, parts := w.State, w.Reason, c.Parts()
		if c.State != "" {
			state, reason = c.State, ""
		}
		if c.URL != nil {
			if c.Headers == nil && len(k.Headers) > 0 && gistdeal.ShownURL(w.Kind, *c.URL) != w.URL {
				return nil, gistdeal.Errorf(gistdeal.Invalid, "the new URL of webhook %q leads to another host, which must not get the headers for the old one: give its headers too, an empty list for none", name)
			}
			k.URL = gistdeal.StorableText(*c.URL)
		}
		if c.Headers != nil {
			k.Headers = *c.Headers
		}
		if c.Types != nil {
			w.Types = *c.Types
		}
		if c.UserID != nil {
			w.UserID = *c.UserID
		}
		if c.Timing != nil {
			w.Timing = *c.Timing
		}
		headers, types, err := encodeWebhook(k.Headers, w.Types)
		if err != nil || len(parts) == 0 {
			return nil, err
		}
		// What failed until now may succeed with the change.
		if _, err := tx.ExecContext(ctx, `UPDATE webhooks SET url = $1, headers = $2, types = $3, user_id = $4, state = $5, reason = $6, failures = 0, failing_since = 0, next_at = 0,
				digest = $7, quiet = $8, zone = $9, changes = changes + 1 WHERE id = $10`,
			k.URL, headers, types, w.UserID, state, gistdeal.StorableText(reason), w.Digest, w.Quiet, w.Zone, w.ID); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET next_at = 0 WHERE webhook_id = $1 AND state = 'pending'`, w.ID); err != nil {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionChangeWebhook, Target: name, After: strings.Join(parts, ", ")}}, nil
	})
	if err != nil {
		return fmt.Errorf("change webhook %q: %w", name, err)
	}
	return nil
}

// RotateWebhook gives a webhook a new secret. The one that it had signs messages too until
// the given time; one from an earlier rotation ends now.
func (s *Store) RotateWebhook(ctx context.Context, name, secret string, oldUntil, now time.Time) error {
	return s.webhookTx(ctx, name, gistdeal.ActionRotateWebhook, now, func(ctx context.Context, tx *sql.Tx, _ gistdeal.Webhook, e *gistdeal.AuditEntry) error {
		_, err := tx.ExecContext(ctx, `UPDATE webhooks SET old_secret = secret, old_secret_until = $1, secret = $2 WHERE name = $3`, millis(oldUntil), secret, name)
		return err
	})
}

// DeleteWebhook deletes a webhook with its deliveries.
func (s *Store) DeleteWebhook(ctx context.Context, name string, now time.Time) error {
	return s.webhookTx(ctx, name, gistdeal.ActionDeleteWebhook, now, func(ctx context.Context, tx *sql.Tx, w gistdeal.Webhook, e *gistdeal.AuditEntry) error {
		e.Before = w.URL
		if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE webhook_id = $1`, w.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM webhooks WHERE id = $1`, w.ID)
		return err
	})
}

// webhookTx runs f with a webhook in a transaction that leaves an entry in the audit log. The
// error is NotFound if there is none of that name.
func (s *Store) webhookTx(ctx context.Context, name string, action gistdeal.Action, now time.Time, f func(context.Context, *sql.Tx, gistdeal.Webhook, *gistdeal.AuditEntry) error) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		w, _, err := webhookIn(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		e := gistdeal.AuditEntry{Action: action, Target: name}
		err = f(ctx, tx, w, &e)
		return []gistdeal.AuditEntry{e}, err
	})
	if err != nil {
		return fmt.Errorf("webhook %q: %w", name, err)
	}
	return nil
}

const webhookColumns = `w.id, w.name, w.kind, w.url, w.headers, w.types, w.user_id, w.secret, w.old_secret, w.old_secret_until, w.state, w.reason, w.created_at, w.cursor,
	w.delivered_at, w.failures, w.failing_since, w.next_at, w.digest, w.quiet, w.zone, w.told, w.changes, COALESCE(u.login, ''), (SELECT count(*) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending')`

const fromWebhooks = ` FROM webhooks w LEFT JOIN users u ON u.id = w.user_id`

func scanWebhook(row interface{ Scan(...any) error }) (o gistdeal.KeyedWebhook, err error) {
	var headers, types, told string
	var oldUntil, created, delivered, failing, next int64
	w, k := &o.Webhook, &o.Keys
	if err := row.Scan(&w.ID, &w.Name, &w.Kind, &k.URL, &headers, &types, &w.UserID, &k.Secret, &k.OldSecret, &oldUntil, &w.State, &w.Reason, &created, &w.Cursor,
		&delivered, &w.Failures, &failing, &next, &w.Digest, &w.Quiet, &w.Zone, &told, &w.Changes, &w.User, &w.Pending); err != nil {
		return o, err
	}
	if err := cmp.Or(json.Unmarshal([]byte(headers), &k.Headers), json.Unmarshal([]byte(types), &w.Types), json.Unmarshal([]byte(told), &w.Told)); err != nil {
		return o, err
	}
	w.URL, w.Headers = gistdeal.ShownURL(w.Kind, k.URL), []string{}
	for name := range k.Headers {
		w.Headers = append(w.Headers, name)
	}
	slices.Sort(w.Headers)
	w.OldSecretUntil, w.CreatedAt, w.DeliveredAt, w.FailingSince, w.NextAt = fromMillis(oldUntil), fromMillis(created), fromMillis(delivered), fromMillis(failing), fromMillis(next)
	return o, nil
}

func webhookIn(ctx context.Context, tx *sql.Tx, name string) (gistdeal.Webhook, gistdeal.WebhookKeys, error) {
	o, err := scanWebhook(tx.QueryRowContext(ctx, `SELECT `+webhookColumns+fromWebhooks+` WHERE w.name = $1`, name))
	return o.Webhook, o.Keys, notFound(err, "webhook %q does not exist", name)
}

// Webhooks returns all webhooks, by name.
func (s *Store) Webhooks(ctx context.Context) ([]gistdeal.Webhook, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+webhookColumns+fromWebhooks+` ORDER BY w.name`)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.Webhook, error) {
		o, err := scanWebhook(row)
		return o.Webhook, err
	})
}

// Webhook returns the webhook with that name; NotFound if there is none.
func (s *Store) Webhook(ctx context.Context, name string) (gistdeal.Webhook, error) {
	o, err := scanWebhook(s.read.QueryRowContext(ctx, `SELECT `+webhookColumns+fromWebhooks+` WHERE w.name = $1`, name))
	return o.Webhook, notFound(err, "webhook %q does not exist", name)
}

// KeyedWebhooks returns the enabled webhooks with their keys, by name.
func (s *Store) KeyedWebhooks(ctx context.Context) ([]gistdeal.KeyedWebhook, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+webhookColumns+fromWebhooks+` WHERE w.state = 'enabled' ORDER BY w.name`)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.KeyedWebhook, error) { return scanWebhook(row) })
}

// KeyedWebhook returns an enabled webhook with its keys; NotFound if it was deleted or is
// disabled.
func (s *Store) KeyedWebhook(ctx context.Context, id string) (gistdeal.KeyedWebhook, error) {
	w, err := scanWebhook(s.read.QueryRowContext(ctx, `SELECT `+webhookColumns+fromWebhooks+` WHERE w.id = $1 AND w.state = 'enabled'`, id))
	return w, notFound(err, "the webhook is not enabled")
}
