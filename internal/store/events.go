package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gistdeal"
)

// Events returns up to q.Limit events that match q, ordered by id. An event with a smaller
// id than one that was returned never appears later. The error wraps ErrEventsDeleted if
// events after q.After were deleted.
func (s *Store) Events(ctx context.Context, q gistdeal.EventQuery) ([]gistdeal.Event, error) {
	w := where{}
	w.add("id > ?", q.After)
	if len(q.Types) > 0 {
		w.in("type", stringsOf(q.Types))
	}
	if q.UserID != 0 {
		w.add("user_id = ?", q.UserID)
	}
	clauses := w.sql() + " ORDER BY id LIMIT " + w.arg(q.Limit)
	rows, err := s.read.QueryContext(ctx, `SELECT id, at, type, user_id, login, gist_id, deal_id, backfill, data,
		coalesce((SELECT value FROM settings WHERE name = '`+gistdeal.KeyDealURL+`'), '') FROM events`+clauses, w.args...)
	events, err := collect(rows, err, scanEvent)
	if err != nil || q.After == 0 {
		return events, err
	}
	// Read last, because events may be deleted meanwhile.
	deleted, err := s.DeletedEvents(ctx)
	if err == nil && q.After < deleted {
		err = &gistdeal.Error{Kind: gistdeal.Gone, Err: gistdeal.ErrEventsDeleted}
	}
	if err != nil {
		return nil, err
	}
	return events, nil
}

func scanEvent(row *sql.Rows) (e gistdeal.Event, err error) {
	var at, backfill int64
	var data []byte
	var address string
	if err := row.Scan(&e.ID, &at, &e.Type, &e.UserID, &e.Login, &e.GistID, &e.DealID, &backfill, &data, &address); err != nil {
		return e, err
	}
	e.At, e.Backfill, e.DealURL = fromMillis(at), backfill != 0, gistdeal.DealURL(address, e.DealID)
	if e.GistID != "" && e.Login != "" {
		e.GistURL = gistdeal.GistURL(e.Login, e.GistID)
	}
	return e, json.Unmarshal(data, &e.EventFacts)
}

// LastEvent returns the id of the last event, deleted or not. Before the first one it is 1,
// so that a stream can tell its place.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	last, err := s.counter(ctx, "event_id")
	return max(last, 1), err
}

// DeletedEvents returns the id of the last event that was deleted; 0 if none was.
func (s *Store) DeletedEvents(ctx context.Context) (int64, error) {
	return s.counter(ctx, "event_deleted")
}

func (s *Store) counter(ctx context.Context, name string) (value int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = $1`, name).Scan(&value)
	if err != nil {
		return 0, fmt.Errorf("read the counter %q: %w", name, err)
	}
	return value, nil
}

// DeleteEvents deletes up to limit events from before then, and returns their number.
func (s *Store) DeleteEvents(ctx context.Context, then time.Time, limit int) (n int, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// An id is at least the time of its event.
		rows, err := queryIn(ctx, tx, `DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id > 0 AND id < $1 ORDER BY id LIMIT $2) RETURNING id`, millis(then), limit)
		ids, err := collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
		if n = len(ids); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE counters SET value = $1 WHERE name = 'event_deleted' AND value < $1`, slices.Max(ids))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete old events: %w", err)
	}
	return n, nil
}

// addEvents adds events that no trigger of the schema adds.
func addEvents(ctx context.Context, tx *sql.Tx, events ...gistdeal.Event) error {
	for _, e := range events {
		facts, err := json.Marshal(e.EventFacts)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO events (at, type, user_id, login, gist_id, deal_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			millis(e.At), e.Type, e.UserID, e.Login, e.GistID, e.DealID, gistdeal.StorableText(string(facts))); err != nil {
			return err
		}
	}
	return nil
}

// SaveQuotas stores the value of the setting gistdeal.KeyQuotas, and the events about what
// has changed in it.
func (s *Store) SaveQuotas(ctx context.Context, value string, events ...gistdeal.Event) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, setSetting, gistdeal.KeyQuotas, value); err != nil {
			return err
		}
		return addEvents(ctx, tx, events...)
	})
	if err != nil {
		return fmt.Errorf("store the quotas: %w", err)
	}
	return nil
}

const millisPerDay = 86_400_000

// Failures counts failed deals by problem, and returns up to limit problems, the most
// frequent first.
func (s *Store) Failures(ctx context.Context, limit int) ([]gistdeal.Failure, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT problem, count(*), min(gist_id), max(updated_at) FROM deals WHERE state = 'failed'
		GROUP BY problem ORDER BY count(*) DESC, problem LIMIT $1`, limit)
	return collect(rows, err, func(row *sql.Rows) (f gistdeal.Failure, err error) {
		var last int64
		err = row.Scan(&f.Problem, &f.Deals, &f.Example, &last)
		f.LastFailedAt = fromMillis(last)
		return f, err
	})
}

// LastSeq returns the highest Seq of a user's gists, 0 if there are none.
func (s *Store) LastSeq(ctx context.Context, userID int64) (seq int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM gists WHERE user_id = $1`, userID).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("read the last gist of user %d: %w", userID, err)
	}
	return seq, nil
}
