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

// likePattern escapes the special characters of LIKE patterns.
var likePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// orderKeys are the sort keys of users, with the value of a user for each.
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

// search adds a condition on the login. Only users that lost their login have no key, and
// lower is several times as slow.
func (w *where) search(text string) {
	like := " LIKE " + w.arg("%"+likePattern.Replace(gistdeal.LoginKey(text))+"%") + ` ESCAPE '\'`
	w.conditions = append(w.conditions, "(login_key"+like+" OR login_key IS NULL AND lower(login)"+like+")")
}

// userConditions returns the conditions of a filter.
func userConditions(f gistdeal.UserFilter) (w where) {
	if f.Search != "" { // First, because it leaves the fewest rows.
		w.search(f.Search)
	}
	if len(f.States) == 0 {
		w.add("state <> ?", gistdeal.UserRemoved)
	} else {
		w.in("state", stringsOf(f.States))
	}
	return w
}

// fewUsers is how many users are sorted by themselves. If a filter lets more
// through, a part of a list is found soon by walking in its order.
const fewUsers = 1000

// Users returns the part p of the users that f means.
func (s *Store) Users(ctx context.Context, f gistdeal.UserFilter, p gistdeal.UserPage) ([]gistdeal.User, error) {
	w, from := userConditions(f), "users"
	with := ""
	if f.Search != "" || len(f.States) > 0 {
		ids, err := s.someUsers(ctx, w)
		if err != nil {
			return nil, err
		}
		if len(ids) <= fewUsers {
			object, err := keys(ids)
			if err != nil {
				return nil, err
			}
			with = `WITH few AS MATERIALIZED (SELECT * FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))) `
			w, from = where{args: []any{object}}, "few"
		}
	}
	order := w.after(p)
	part := w.sql() + order + " LIMIT " + w.arg(p.Limit)
	rows, err := s.read.QueryContext(ctx, with+`SELECT `+userColumns+` FROM `+from+part, w.args...)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.User, error) { return scanUser(row) })
}

// someUsers returns the ids of those users that w means, in no order, or of
// more than fewUsers of them.
func (s *Store) someUsers(ctx context.Context, w where) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM users`+w.sql()+" LIMIT "+strconv.Itoa(fewUsers+1), w.args...)
	return collect(rows, err, func(row *sql.Rows) (string, error) {
		var id int64
		err := row.Scan(&id)
		return strconv.FormatInt(id, 10), err
	})
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

// PauseUsers stops the scans of users and returns the ids of those that it changed, not
// of paused or removed ones. ResumeUsers and RemoveUsers do the same for their change.
func (s *Store) PauseUsers(ctx context.Context, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, nil, `state = 'paused'`, `state IN ('active', 'gone')`)
}

// ResumeUsers lets paused users be scanned again, at once.
func (s *Store) ResumeUsers(ctx context.Context, now time.Time, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, nil, `state = 'active', next_scan_at = `+strconv.FormatInt(millis(now), 10), `state = 'paused'`)
}

// RemoveUsers ends the tracking of users. Their gists and deals are kept, and
// those of their deals that have not begun to be sent are skipped.
func (s *Store) RemoveUsers(ctx context.Context, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, func(ctx context.Context, tx *sql.Tx, users string) error {
		_, err := tx.ExecContext(ctx, `UPDATE deals SET state = 'skipped', problem = $1 WHERE state IN ('awaiting_approval', 'queued')
			AND gist_id IN (SELECT id FROM gists WHERE user_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2)))`, userRemoved, users)
		return err
	}, `state = 'removed'`, `state <> 'removed'`)
}

// setStates applies set to the users that meet the condition, and then follows to them;
// they are the keys of an object.
func (s *Store) setStates(ctx context.Context, ids []int64, follows func(ctx context.Context, tx *sql.Tx, users string) error, set, condition string) (changed []int64, err error) {
	users, err := idKeys(ids)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := queryIn(ctx, tx, `UPDATE users SET `+set+` WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) AND `+condition+` RETURNING id`, users)
		changed, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
		if err != nil || follows == nil || len(changed) == 0 {
			return err
		}
		if users, err = idKeys(changed); err != nil {
			return err
		}
		return follows(ctx, tx, users)
	})
	if err != nil {
		return nil, fmt.Errorf("change the state of %d users: %w", len(ids), err)
	}
	return changed, nil
}

// idKeys returns a JSON object with the ids as keys.
func idKeys(ids []int64) (string, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = strconv.FormatInt(id, 10)
	}
	return keys(names)
}
