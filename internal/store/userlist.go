package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// likePattern escapes what has a meaning in the pattern of LIKE.
var likePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// orderKeys are what users are ordered by, and what a user has there.
var orderKeys = map[gistdeal.UserOrder]struct {
	column string
	of     func(gistdeal.User) any
}{
	gistdeal.OrderByLogin:    {"lower(login)", func(u gistdeal.User) any { return gistdeal.LoginKey(u.Login) }},
	gistdeal.OrderByTracked:  {"tracked_at", func(u gistdeal.User) any { return millis(u.TrackedAt) }},
	gistdeal.OrderByLastScan: {"last_scan_at", func(u gistdeal.User) any { return millis(u.LastScanAt) }},
	gistdeal.OrderByNextScan: {"next_scan_at", func(u gistdeal.User) any { return millis(u.NextScanAt) }},
}

// after adds to w that users come after the last of the part before, and
// returns the clause that orders them.
func (w *where) after(p gistdeal.UserPage) string {
	than, direction := ">", ""
	if p.Descending {
		than, direction = "<", " DESC"
	}
	key, known := orderKeys[p.Order]
	switch {
	case p.After == nil:
	case known:
		// SQLite finds a pair with an expression in no index, so it is told the first half too.
		value := w.arg(key.of(*p.After))
		w.conditions = append(w.conditions, key.column+" "+than+"= "+value, "("+key.column+", id) "+than+" ("+value+", "+w.arg(p.After.ID)+")")
	default:
		w.add("id "+than+" ?", p.After.ID)
	}
	if known {
		return " ORDER BY " + key.column + direction + ", id" + direction
	}
	return " ORDER BY id" + direction
}

// Users returns the part p of the users that f means.
func (s *Store) Users(ctx context.Context, f gistdeal.UserFilter, p gistdeal.UserPage) ([]gistdeal.User, error) {
	w := where{}
	if f.Search != "" { // First, because it leaves the fewest rows for what follows.
		w.add(`lower(login) LIKE ? ESCAPE '\'`, "%"+likePattern.Replace(gistdeal.LoginKey(f.Search))+"%")
	}
	if len(f.States) == 0 {
		w.add("state <> ?", gistdeal.UserRemoved)
	} else {
		w.in("state", stringsOf(f.States))
	}
	order := w.after(p)
	part := w.sql() + order + " LIMIT " + w.arg(p.Limit)
	rows, err := s.read.QueryContext(ctx, `SELECT `+userColumns+` FROM users`+part, w.args...)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.User, error) { return scanUser(row) })
}

// DealsOf counts a user's deals by state.
func (s *Store) DealsOf(ctx context.Context, userID int64) (map[gistdeal.DealState]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT d.state, count(*) FROM gists g JOIN deals d ON d.gist_id = g.id
		WHERE g.user_id = $1 GROUP BY d.state`, userID)
	return countStates(rows, err)
}

// DealsOfUsers counts the deals of each of the users by state.
func (s *Store) DealsOfUsers(ctx context.Context, ids []int64) (map[int64]map[gistdeal.DealState]int, error) {
	names := make([]string, len(ids))
	counts := make(map[int64]map[gistdeal.DealState]int, len(ids))
	for i, id := range ids {
		names[i], counts[id] = strconv.FormatInt(id, 10), map[gistdeal.DealState]int{}
	}
	object, err := keys(names)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT g.user_id, d.state, count(*) FROM gists g JOIN deals d ON d.gist_id = g.id
		WHERE g.user_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) GROUP BY g.user_id, d.state`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) {
		var state gistdeal.DealState
		var n int
		err = row.Scan(&id, &state, &n)
		counts[id][state] = n
		return id, err
	})
	return counts, err
}

// countStates reads rows of a state and a number.
func countStates(rows *rows, err error) (map[gistdeal.DealState]int, error) {
	counts := map[gistdeal.DealState]int{}
	_, err = collect(rows, err, func(row *sql.Rows) (state gistdeal.DealState, err error) {
		var n int
		err = row.Scan(&state, &n)
		counts[state] = n
		return state, err
	})
	return counts, err
}

// userRemoved is the problem of deals that are skipped because their user is not tracked any more.
const userRemoved = "its user was removed"

// PauseUser stops the scans of a user. It reports false if the user is paused
// already; NotFound if it is not tracked. So do ResumeUser and RemoveUser, each
// for what it does.
func (s *Store) PauseUser(ctx context.Context, id int64) (bool, error) {
	return s.setState(ctx, id, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return changed(tx.ExecContext(ctx, `UPDATE users SET state = 'paused' WHERE id = $1 AND state IN ('active', 'gone')`, id))
	})
}

// ResumeUser lets a paused user be scanned again, at once.
func (s *Store) ResumeUser(ctx context.Context, id int64, now time.Time) (bool, error) {
	return s.setState(ctx, id, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		return changed(tx.ExecContext(ctx, `UPDATE users SET state = 'active', next_scan_at = $1 WHERE id = $2 AND state = 'paused'`, millis(now), id))
	})
}

// RemoveUser ends the tracking of a user. Its gists and deals are kept, and
// those of its deals that have not begun to be sent are skipped.
func (s *Store) RemoveUser(ctx context.Context, id int64) (bool, error) {
	return s.setState(ctx, id, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE users SET state = 'removed' WHERE id = $1 AND state <> 'removed'`, id))
		if err != nil || !ok {
			return false, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE deals SET state = 'skipped', problem = $1
			WHERE state IN ('held', 'found') AND gist_id IN (SELECT id FROM gists WHERE user_id = $2)`, userRemoved, id)
		return true, err
	})
}

// setState runs change, and tells a user that is not tracked from one that is
// as it should be already.
func (s *Store) setState(ctx context.Context, id int64, change func(context.Context, *sql.Tx) (bool, error)) (ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if ok, err = change(ctx, tx); err != nil || ok {
			return err
		}
		var tracked bool
		err := tx.QueryRowContext(ctx, `SELECT true FROM users WHERE id = $1 AND state <> 'removed'`, id).Scan(&tracked)
		return notFound(err, "user %d is not tracked", id)
	})
	if err != nil {
		return false, fmt.Errorf("change the state of user %d: %w", id, err)
	}
	return ok, nil
}
