package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// likePattern escapes the special characters of LIKE patterns.
var likePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// orderKeys has the column of each order, and a function that returns a user's value.
var orderKeys = map[gistdeal.UserOrder]struct {
	column string
	value  func(gistdeal.User) any
}{
	gistdeal.OrderByLogin:    {"lower(login)", func(u gistdeal.User) any { return gistdeal.LoginKey(u.Login) }},
	gistdeal.OrderByTracked:  {"tracked_at", func(u gistdeal.User) any { return millis(u.TrackedAt) }},
	gistdeal.OrderByLastScan: {"last_scan_at", func(u gistdeal.User) any { return millis(u.LastScanAt) }},
	gistdeal.OrderByNextScan: {"next_scan_at", func(u gistdeal.User) any { return millis(u.NextScanAt) }},
}

// startAfter adds the condition that users follow p.After, and returns the ORDER BY clause.
func (w *where) startAfter(p gistdeal.UserPage) string {
	than, direction := ">", ""
	if p.Descending {
		than, direction = "<", " DESC"
	}
	key, known := orderKeys[p.Order]
	switch {
	case p.After == nil:
	case known:
		// SQLite uses no index for a pair with an expression, so compare the column alone too.
		value := w.arg(key.value(*p.After))
		w.conditions = append(w.conditions, key.column+" "+than+"= "+value, "("+key.column+", id) "+than+" ("+value+", "+w.arg(p.After.ID)+")")
	default:
		w.add("id "+than+" ?", p.After.ID)
	}
	if known {
		return " ORDER BY " + key.column + direction + ", id" + direction
	}
	return " ORDER BY id" + direction
}

// search adds the condition that the login contains a text. It uses lower only for users
// that lost their login and so have no key, because lower is several times as slow.
func (w *where) search(text string) {
	like := " LIKE " + w.arg("%"+likePattern.Replace(gistdeal.LoginKey(text))+"%") + ` ESCAPE '\'`
	w.conditions = append(w.conditions, "(login_key"+like+" OR login_key IS NULL AND lower(login)"+like+")")
}

// userConditions returns the conditions of a filter.
func userConditions(f gistdeal.UserFilter) (w where) {
	if f.Search != "" { // first, because it leaves the fewest rows
		w.search(f.Search)
	}
	if len(f.States) == 0 {
		w.add("state <> ?", gistdeal.UserRemoved)
	} else {
		w.in("state", stringsOf(f.States))
		if !slices.Contains(f.States, gistdeal.UserActive) { // The constant text lets the databases use an index of the few.
			w.conditions = append(w.conditions, "state <> 'active'")
		}
	}
	return w
}

// maxSorted is the maximum number of matching users to sort. If more users match, walking
// an index in order finds a page of them sooner.
const maxSorted = 1000

// Users returns the page p of the users that match f. It reads only the fields that lists
// show, because the others take a quarter of the time.
func (s *Store) Users(ctx context.Context, f gistdeal.UserFilter, p gistdeal.UserPage) ([]gistdeal.User, error) {
	w, from := userConditions(f), "users"
	with := ""
	if f.Search != "" || len(f.States) > 0 {
		ids, err := s.userIDs(ctx, w)
		if err != nil {
			return nil, err
		}
		if len(ids) <= maxSorted {
			with = `WITH few AS MATERIALIZED (SELECT * FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))) `
			w, from = where{args: []any{idKeys(ids)}}, "few"
		}
	}
	order := w.startAfter(p)
	clauses := w.sql() + order + " LIMIT " + w.arg(p.Limit)
	rows, err := s.read.QueryContext(ctx, with+`SELECT `+listedColumns+` FROM `+from+clauses, w.args...)
	users := make([]gistdeal.User, 0, min(p.Limit, 100))
	_, err = collect(rows, err, func(row *sql.Rows) (struct{}, error) {
		users = append(users, gistdeal.User{})
		return struct{}{}, scanListed(row, &users[len(users)-1])
	})
	return users, err
}

// userIDs returns the ids of up to maxSorted+1 users that meet w, in no order.
func (s *Store) userIDs(ctx context.Context, w where) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM users`+w.sql()+" LIMIT "+strconv.Itoa(maxSorted+1), w.args...)
	return collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
}

// DealsOf returns the number of a user's deals by state.
func (s *Store) DealsOf(ctx context.Context, userID int64) (map[gistdeal.DealState]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT state, n FROM deal_counts WHERE user_id = $1 AND n <> 0`, userID)
	return countStates(rows, err)
}

// DealsOfUsers returns the number of deals of each of the users by state. The counts are one
// row, because reading a row for each takes as long again.
func (s *Store) DealsOfUsers(ctx context.Context, ids []int64) (map[int64]map[gistdeal.DealState]int, error) {
	counts := make(map[int64]map[gistdeal.DealState]int, len(ids))
	for _, id := range ids {
		counts[id] = map[gistdeal.DealState]int{}
	}
	var all string
	err := s.read.QueryRowContext(ctx, `SELECT coalesce(string_agg(CAST(user_id AS TEXT) || ' ' || state || ' ' || CAST(n AS TEXT), ' '), '') FROM deal_counts
		WHERE user_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) AND n <> 0`, idKeys(ids)).Scan(&all)
	for of := range slices.Chunk(strings.Fields(all), 3) {
		id, idErr := strconv.ParseInt(of[0], 10, 64)
		n, nErr := strconv.Atoi(of[2])
		if err := errors.Join(idErr, nErr); err != nil {
			return nil, err
		}
		counts[id][gistdeal.DealState(of[1])] = n
	}
	return counts, err
}

// countStates collects rows of a state and a count.
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

// userRemoved is the problem of deals that are skipped because their user was removed.
const userRemoved = "the user was removed"

// PauseUsers pauses the scans of users. It returns the ids of the users that it changed,
// without those that were already paused or removed.
func (s *Store) PauseUsers(ctx context.Context, now time.Time, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, now, stateChange{
		action: gistdeal.ActionPauseUser, to: gistdeal.UserPaused, from: `state IN ('active', 'gone')`,
	})
}

// ResumeUsers resumes the scans of paused users, due at now. It returns the ids of the users
// that it changed.
func (s *Store) ResumeUsers(ctx context.Context, now time.Time, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, now, stateChange{
		action: gistdeal.ActionResumeUser, to: gistdeal.UserActive, set: `, next_scan_at = ` + strconv.FormatInt(millis(now), 10), from: `state = 'paused'`,
	})
}

// RemoveUsers stops tracking users. It keeps their gists and deals, and skips the deals that
// are queued or awaiting approval. Pending scan requests for them end, because they would
// track the users again. It returns the ids of the users that it changed.
func (s *Store) RemoveUsers(ctx context.Context, now time.Time, ids ...int64) ([]int64, error) {
	return s.setStates(ctx, ids, now, stateChange{
		action: gistdeal.ActionRemoveUser, to: gistdeal.UserRemoved, from: `state <> 'removed'`,
		then: func(ctx context.Context, tx *sql.Tx, users string) error {
			_, err := tx.ExecContext(ctx, `UPDATE deals SET state = 'skipped', problem = $1, updated_at = $3, by_rule = 0 WHERE state IN ('awaiting_approval', 'queued')
				AND gist_id IN (SELECT id FROM gists WHERE user_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2)))`, userRemoved, users, millis(now))
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = $2, problem = $3 WHERE ended_at = 0
				AND login_key IN (SELECT login_key FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($4)))`,
				millis(now), gistdeal.Invalid.String(), userRemoved, users)
			return err
		},
	})
}

// stateChange is a change of the state of users.
type stateChange struct {
	action gistdeal.Action
	from   string // the condition that a user can be changed
	to     gistdeal.UserState
	set    string // what else is set, after a comma
	// then is called in the same transaction with the changed users as the keys of a JSON
	// object; it may be nil.
	then func(ctx context.Context, tx *sql.Tx, users string) error
}

// setStates changes the state of users, and returns the ids of those that it changed.
func (s *Store) setStates(ctx context.Context, ids []int64, now time.Time, c stateChange) (changed []int64, err error) {
	users := idKeys(ids)
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		entries, err := c.entries(ctx, tx, users)
		if err != nil {
			return nil, err
		}
		rows, err := queryIn(ctx, tx, `UPDATE users SET state = $1, changed_at = $3`+c.set+` WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($2)) AND `+c.from+` RETURNING id`, c.to, users, millis(now))
		changed, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) })
		if err != nil || len(changed) == 0 {
			return nil, err
		}
		if c.then != nil {
			if err := c.then(ctx, tx, idKeys(changed)); err != nil {
				return nil, err
			}
		}
		return slices.DeleteFunc(entries, func(e gistdeal.AuditEntry) bool { return !slices.Contains(changed, e.UserID) }), nil
	})
	if err != nil {
		return nil, fmt.Errorf("change the state of %d users: %w", len(ids), err)
	}
	return changed, nil
}

// entries returns the entries of the audit log for the users that can be changed.
func (c stateChange) entries(ctx context.Context, tx *sql.Tx, users string) ([]gistdeal.AuditEntry, error) {
	rows, err := queryIn(ctx, tx, `SELECT id, login, state FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) AND `+c.from+` ORDER BY id`, users)
	return collect(rows, err, func(row *sql.Rows) (gistdeal.AuditEntry, error) {
		e := gistdeal.AuditEntry{Action: c.action, After: string(c.to)}
		return e, row.Scan(&e.UserID, &e.Target, &e.Before)
	})
}

// idKeys returns a JSON object with the ids as keys, for a bulk statement.
func idKeys(ids []int64) string {
	object := []byte{'{'}
	for i, id := range ids {
		if i > 0 {
			object = append(object, ',')
		}
		object = fmt.Appendf(object, `"%d":1`, id)
	}
	return string(append(object, '}'))
}
