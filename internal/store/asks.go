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

// answersKept is how long an answer can be read.
const answersKept = time.Hour

// askRow is an ask inside the JSON object of a bulk insert.
type askRow struct {
	Login     string             `json:"login"`
	Policy    gistdeal.FirstScan `json:"policy"`
	Otherwise gistdeal.FirstScan `json:"otherwise"`
	Want      gistdeal.Want      `json:"want"`
}

// Ask stores asks for the process that works, and returns them with the
// numbers by which their answers are known. One that waits already for the
// same, or for more, is joined and not asked again.
func (s *Store) Ask(ctx context.Context, now time.Time, asks ...gistdeal.Ask) ([]gistdeal.Ask, error) {
	object, err := askObject(asks)
	if err != nil {
		return nil, err
	}
	numbers := map[string]int64{}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM asks WHERE ended_at > 0 AND ended_at < $1`, millis(now.Add(-answersKept))); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO asks (login_key, login, backfill, want, asked_at)
			SELECT key, value ->> 'login', CASE WHEN value ->> 'policy' <> ''
					OR EXISTS (SELECT 1 FROM users WHERE users.login_key = key AND state <> 'removed')
					OR EXISTS (SELECT 1 FROM asks waiting WHERE waiting.login_key = key AND waiting.ended_at = 0)
					THEN value ->> 'policy' ELSE value ->> 'otherwise' END,
				CAST(value ->> 'want' AS BIGINT), $1 FROM json_each($2) WHERE true
			ON CONFLICT (login_key) DO UPDATE SET login = excluded.login,
				backfill = CASE WHEN excluded.backfill = '' AND asks.ended_at = 0 THEN asks.backfill ELSE excluded.backfill END,
				want = CASE WHEN asks.ended_at = 0 AND asks.want > excluded.want THEN asks.want ELSE excluded.want END,
				n = asks.n + 1, asked_at = excluded.asked_at, ended_at = 0, outcome = '', problem = '', retry_after = 0
			WHERE asks.ended_at > 0 OR excluded.want > asks.want OR excluded.backfill NOT IN ('', asks.backfill)`,
			millis(now), object); err != nil {
			return err
		}
		rows, err := queryIn(ctx, tx, `SELECT login_key, n FROM asks WHERE login_key IN (SELECT key FROM json_each($1))`, object)
		_, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
			var n int64
			err = row.Scan(&key, &n)
			numbers[key] = n
			return key, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for %d logins: %w", len(asks), err)
	}
	asked := make([]gistdeal.Ask, len(asks))
	for i, a := range asks {
		a.N = numbers[gistdeal.LoginKey(a.Login)]
		asked[i] = a
	}
	return asked, nil
}

// askObject returns asks as a JSON object for a bulk statement.
func askObject(asks []gistdeal.Ask) (string, error) {
	rows := make(map[string]askRow, len(asks))
	for _, a := range asks {
		rows[gistdeal.LoginKey(a.Login)] = askRow{Login: a.Login, Policy: a.Policy, Otherwise: a.Otherwise, Want: a.Want}
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// WaitingAsks returns up to limit asks that want at least so much and have no
// answer: those that somebody waits for first, and then those asked first.
func (s *Store) WaitingAsks(ctx context.Context, least gistdeal.Want, limit int) ([]gistdeal.Ask, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT login, backfill, want, n FROM asks
		WHERE ended_at = 0 AND want >= $1 ORDER BY want DESC, asked_at LIMIT $2`, least, limit)
	return collect(rows, err, func(row *sql.Rows) (a gistdeal.Ask, err error) {
		return a, row.Scan(&a.Login, &a.Policy, &a.Want, &a.N)
	})
}

// Answer records what became of an ask. It reports false if more is asked for
// by now: then the ask waits on, with another number.
func (s *Store) Answer(ctx context.Context, a gistdeal.Ask, answer gistdeal.Answer, now time.Time) (bool, error) {
	outcome, problem := "known", ""
	if answer.Added {
		outcome = "added"
	}
	if answer.Err != nil {
		outcome, problem = gistdeal.KindOf(answer.Err).String(), answer.Err.Error()
	}
	ok, err := changed(s.db.ExecContext(ctx, `UPDATE asks SET ended_at = $1, outcome = $2, problem = $3, retry_after = $4
		WHERE login_key = $5 AND n = $6 AND ended_at = 0`,
		millis(now), outcome, clean(problem), gistdeal.RetryAfter(answer.Err).Milliseconds(), gistdeal.LoginKey(a.Login), a.N))
	if err != nil {
		return false, fmt.Errorf("answer the ask for %q: %w", a.Login, err)
	}
	return ok, nil
}

// Requeue puts an ask behind those that want as much, and says why it still waits.
func (s *Store) Requeue(ctx context.Context, a gistdeal.Ask, problem string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE asks SET asked_at = $1, problem = $2 WHERE login_key = $3 AND n = $4 AND ended_at = 0`,
		millis(now), clean(problem), gistdeal.LoginKey(a.Login), a.N)
	if err != nil {
		return fmt.Errorf("requeue the ask for %q: %w", a.Login, err)
	}
	return nil
}

// AskWaits returns whether a login is asked for and has no answer yet, and why
// not if there is a reason.
func (s *Store) AskWaits(ctx context.Context, login string) (problem string, waits bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT problem FROM asks WHERE login_key = $1 AND ended_at = 0`, gistdeal.LoginKey(login)).Scan(&problem)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look whether %q is asked for: %w", login, err)
	}
	return problem, true, nil
}

// Answers returns the answers to those of the given asks that have one, by
// login key. They can be read for an hour.
func (s *Store) Answers(ctx context.Context, asks ...gistdeal.Ask) (map[string]gistdeal.Answer, error) {
	object, err := askObject(asks)
	if err != nil {
		return nil, err
	}
	least := map[string]int64{}
	for _, a := range asks {
		least[gistdeal.LoginKey(a.Login)] = a.N
	}
	answers := map[string]gistdeal.Answer{}
	rows, err := s.read.QueryContext(ctx, `SELECT login_key, n, outcome, problem, retry_after FROM asks
		WHERE ended_at > 0 AND login_key IN (SELECT key FROM json_each($1))`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (key string, err error) {
		var n, retryAfter int64
		var outcome, problem string
		if err := row.Scan(&key, &n, &outcome, &problem, &retryAfter); err != nil {
			return key, err
		}
		if n >= least[key] {
			answers[key] = answerOf(outcome, problem, time.Duration(retryAfter)*time.Millisecond)
		}
		return key, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return answers, nil
}

// answerOf is the inverse of what Answer writes.
func answerOf(outcome, problem string, retryAfter time.Duration) gistdeal.Answer {
	switch outcome {
	case "added":
		return gistdeal.Answer{Added: true}
	case "known":
		return gistdeal.Answer{}
	}
	return gistdeal.Answer{Err: &gistdeal.Error{Kind: gistdeal.KindNamed(outcome), RetryAfter: retryAfter, Err: errors.New(problem)}}
}
