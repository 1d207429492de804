package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// keepRuns is the number of runs to keep, the last ones.
const keepRuns = 10_000

// StartRun records a new run and returns its id. It deletes old runs.
func (s *Store) StartRun(ctx context.Context, r gistdeal.Run) (id int64, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'run_id' RETURNING value`).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE id <= $1`, id-keepRuns); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, kind, user_id, started_at, updated_at, ended_at, total, done, gists, deals, failed, requests, tokens, problem)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			id, string(r.Kind), r.UserID, millis(r.StartedAt), millis(r.UpdatedAt), millis(r.Ended), r.Total, r.Done, r.Gists, r.Deals, r.Failed, r.Requests, r.Tokens, gistdeal.StorableText(r.Problem))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("record a new run: %w", err)
	}
	return id, nil
}

// UpdateRun records the progress or the end of a run. It does not change a run that has
// ended.
func (s *Store) UpdateRun(ctx context.Context, r gistdeal.Run) error {
	_, err := s.db.ExecContext(ctx, `UPDATE runs SET updated_at = $1, ended_at = $2, total = $3, done = $4, gists = $5, deals = $6,
		failed = $7, requests = $8, tokens = $9, problem = $10 WHERE id = $11 AND ended_at = 0`,
		millis(r.UpdatedAt), millis(r.Ended), r.Total, r.Done, r.Gists, r.Deals, r.Failed, r.Requests, r.Tokens, gistdeal.StorableText(r.Problem), r.ID)
	if err != nil {
		return fmt.Errorf("update run %d: %w", r.ID, err)
	}
	return nil
}

// InterruptRuns ends the runs in progress, because their process is gone. They end at the
// time of their last update.
func (s *Store) InterruptRuns(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `UPDATE runs SET ended_at = updated_at, problem = 'interrupted: gistdeal stopped, or another instance became the leader' WHERE ended_at = 0`)
	if err != nil {
		return fmt.Errorf("end interrupted runs: %w", err)
	}
	return nil
}

// Runs returns up to limit runs that match f, with ids below before, in descending order. A
// before of 0 means no bound.
func (s *Store) Runs(ctx context.Context, f gistdeal.RunFilter, before int64, limit int) ([]gistdeal.Run, error) {
	w := where{}
	if before > 0 {
		w.add("r.id < ?", before)
	}
	if len(f.Kinds) > 0 {
		w.in("r.kind", stringsOf(f.Kinds))
	}
	if f.UserID != 0 {
		w.add("r.user_id = ?", f.UserID)
	}
	if f.InProgress {
		w.conditions = append(w.conditions, "r.ended_at = 0")
	}
	clauses := w.sql() + " ORDER BY r.id DESC LIMIT " + w.arg(limit)
	rows, err := s.read.QueryContext(ctx, `SELECT r.id, r.kind, r.user_id, coalesce(u.login, ''), r.started_at, r.updated_at, r.ended_at,
		r.total, r.done, r.gists, r.deals, r.failed, r.requests, r.tokens, r.problem
		FROM runs r LEFT JOIN users u ON u.id = r.user_id`+clauses, w.args...)
	return collect(rows, err, func(row *sql.Rows) (r gistdeal.Run, err error) {
		var times [3]int64
		err = row.Scan(&r.ID, &r.Kind, &r.UserID, &r.Login, &times[0], &times[1], &times[2],
			&r.Total, &r.Done, &r.Gists, &r.Deals, &r.Failed, &r.Requests, &r.Tokens, &r.Problem)
		for i, t := range []*time.Time{&r.StartedAt, &r.UpdatedAt, &r.Ended} {
			*t = fromMillis(times[i])
		}
		return r, err
	})
}
