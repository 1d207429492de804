package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gistdeal"
)

// keepOperations is how long ended operations are kept.
const keepOperations = 30 * 24 * time.Hour

// AddOperation stores an operation with its items for the leader. It changes nothing if
// there is one with that id.
func (s *Store) AddOperation(ctx context.Context, o gistdeal.Operation, items []gistdeal.OperationItem) error {
	rows := make(map[string]itemRow, len(items))
	for _, i := range items {
		rows[strconv.Itoa(i.N)] = itemRow{gistdeal.StorableText(i.Input), i.Key, i.Tags, i.Request, i.Result, gistdeal.StorableText(i.Reason), boolean(i.Problem)}
	}
	object, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	states := ""
	if o.States != nil {
		text, err := json.Marshal(o.States)
		if err != nil {
			return err
		}
		states = string(text)
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `INSERT INTO operations (id, kind, change, backfill, states, note, caller, source, address, total, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
			o.ID, o.Kind, o.Change, o.Backfill, states, gistdeal.StorableText(o.Note), o.Caller, o.Source, o.Address, len(items), millis(o.CreatedAt)))
		if err != nil || !ok {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO operation_items (operation_id, n, input, key, tags, request, result, reason, problem)
			SELECT CAST($1 AS TEXT), CAST(key AS BIGINT), value ->> 'input', value ->> 'key', value ->> 'tags', CAST(value ->> 'request' AS BIGINT), value ->> 'result', value ->> 'reason',
				CAST(value ->> 'problem' AS BIGINT) FROM json_each($2)`, o.ID, string(object)); err != nil {
			return err
		}
		return setCounts(ctx, tx, o.ID, countResults(nil, items), o.CreatedAt)
	})
	if err != nil {
		return fmt.Errorf("add an operation on %d items: %w", len(items), err)
	}
	return nil
}

// itemRow is an item in the JSON object of a bulk statement, keyed by its number.
type itemRow struct {
	Input   string `json:"input"`
	Key     string `json:"key"`
	Tags    string `json:"tags"`
	Request int64  `json:"request"`
	Result  string `json:"result"`
	Reason  string `json:"reason"`
	Problem int64  `json:"problem"`
}

// setCounts stores the numbers of results of an operation, and ends it if no item is pending.
func setCounts(ctx context.Context, tx *sql.Tx, id string, counts []itemCount, now time.Time) error {
	text, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE operations SET counts = $1,
		ended_at = CASE WHEN EXISTS (SELECT 1 FROM operation_items WHERE operation_id = $2 AND result = '') THEN 0 ELSE CAST($3 AS BIGINT) END
		WHERE id = $2 AND ended_at = 0`, string(text), id, millis(now))
	return err
}

// itemCount is the number of items with a result.
type itemCount struct {
	Result   string `json:"result"`
	Items    int    `json:"items"`
	Problems int    `json:"problems"`
}

// countResults adds the items that have a result to counts.
func countResults(counts []itemCount, items []gistdeal.OperationItem) []itemCount {
	for _, i := range items {
		if i.Result == "" {
			continue
		}
		at := slices.IndexFunc(counts, func(c itemCount) bool { return c.Result == i.Result })
		if at < 0 {
			at, counts = len(counts), append(counts, itemCount{Result: i.Result})
		}
		counts[at].Items++
		counts[at].Problems += int(boolean(i.Problem))
	}
	return counts
}

// count adds the numbers of results to an operation.
func count(o *gistdeal.Operation, counts ...itemCount) {
	for _, c := range counts {
		o.Results[c.Result] += c.Items
		o.Done += c.Items
		o.Problems += c.Problems
	}
}

// WorkOperation calls work with up to limit pending items of an operation, in their order:
// those whose scan is requested, or the others. It stores the request or result that work
// sets in each, in the transaction of the changes that work makes with its context. So an
// item is done once, however many processes call WorkOperation and whenever they die. It
// returns the number of items.
func (s *Store) WorkOperation(ctx context.Context, id string, requested bool, limit int, now time.Time, work func(context.Context, []gistdeal.OperationItem) error) (n int, err error) {
	err = s.Atomic(ctx, func(ctx context.Context) error {
		tx := s.db.opened(ctx)
		// This row locks out other processes until the transaction ends.
		rows, err := queryIn(ctx, tx, `UPDATE operations SET started_at = CASE WHEN started_at = 0 THEN CAST($1 AS BIGINT) ELSE started_at END
			WHERE id = $2 AND ended_at = 0 RETURNING counts`, millis(now), id)
		open, err := collect(rows, err, scanCounts)
		if n = 0; err != nil || len(open) == 0 {
			return err
		}
		which := "request = 0"
		if requested {
			which = "request > 0"
		}
		rows, err = queryIn(ctx, tx, `SELECT n, input, key, tags, request FROM operation_items WHERE operation_id = $1 AND n IN
			(SELECT n FROM operation_items WHERE operation_id = $1 AND result = '' AND `+which+` ORDER BY n LIMIT $2) ORDER BY n`,
			id, limit)
		items, err := collect(rows, err, func(row *sql.Rows) (i gistdeal.OperationItem, err error) {
			return i, row.Scan(&i.N, &i.Input, &i.Key, &i.Tags, &i.Request)
		})
		if n = len(items); err != nil || n == 0 {
			return err
		}
		before := slices.Clone(items)
		if err := work(ctx, items); err != nil {
			return err
		}
		if err := setItems(ctx, tx, id, items, before); err != nil {
			return err
		}
		return setCounts(ctx, tx, id, countResults(open[0], items), now)
	})
	if err != nil {
		return 0, fmt.Errorf("work on operation %s: %w", id, err)
	}
	return n, nil
}

// PendingKeys returns the keys of up to limit items of an operation that have no result yet, in
// their order.
func (s *Store) PendingKeys(ctx context.Context, id string, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT key FROM operation_items WHERE operation_id = $1 AND result = '' AND request = 0 ORDER BY n LIMIT $2`, id, limit)
	return collect(rows, err, func(row *sql.Rows) (key string, err error) { return key, row.Scan(&key) })
}

// setItems stores the items that differ from what they were before.
func setItems(ctx context.Context, tx *sql.Tx, id string, items, before []gistdeal.OperationItem) error {
	rows := map[string]itemRow{}
	for at, i := range items {
		if i != before[at] {
			rows[strconv.Itoa(i.N)] = itemRow{Request: i.Request, Result: i.Result, Reason: gistdeal.StorableText(i.Reason), Problem: boolean(i.Problem)}
		}
	}
	object, err := json.Marshal(rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	// An UPDATE with FROM would compare each item with each of the rows on SQLite.
	_, err = tx.ExecContext(ctx, `INSERT INTO operation_items (operation_id, n, input, key, request, result, reason, problem)
		SELECT CAST($2 AS TEXT), CAST(key AS BIGINT), '', '', CAST(value ->> 'request' AS BIGINT), value ->> 'result', value ->> 'reason', CAST(value ->> 'problem' AS BIGINT)
		FROM json_each($1) WHERE true ON CONFLICT (operation_id, n) DO UPDATE
		SET request = excluded.request, result = excluded.result, reason = excluded.reason, problem = excluded.problem WHERE operation_items.result = ''`, string(object), id)
	return err
}

// PendingOperations returns the operations that have not ended, the oldest first.
func (s *Store) PendingOperations(ctx context.Context) ([]gistdeal.Operation, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+operationColumns+` FROM operations WHERE ended_at = 0 ORDER BY created_at, id`)
	return collect(rows, err, scanOperation)
}

// RequestedItems returns the items of an operation that wait for the result of their scan
// request.
func (s *Store) RequestedItems(ctx context.Context, id string) ([]gistdeal.OperationItem, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT n, key, request FROM operation_items WHERE operation_id = $1 AND result = '' AND request > 0`, id)
	return collect(rows, err, func(row *sql.Rows) (i gistdeal.OperationItem, err error) {
		return i, row.Scan(&i.N, &i.Key, &i.Request)
	})
}

// CancelOperation ends all pending items of an operation, except those whose scan somebody
// else waits for: the leader ends them. It changes nothing if the operation has ended.
func (s *Store) CancelOperation(ctx context.Context, id string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE operations SET canceled_at = $1 WHERE id = $2 AND ended_at = 0 AND canceled_at = 0`, millis(now), id))
		if err != nil || !ok {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE scan_requests SET ended_at = $1, outcome = $2, problem = '`+canceled+`' WHERE ended_at = 0 AND kind = $3
			AND login_key IN (SELECT key FROM operation_items i WHERE i.operation_id = $4 AND i.result = '' AND i.request = scan_requests.number)
			AND NOT EXISTS (SELECT 1 FROM operation_items other WHERE other.key = login_key AND other.request > 0 AND other.result = '' AND other.operation_id <> $4)`,
			millis(now), gistdeal.Invalid.String(), gistdeal.RequestTrack, id); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE operation_items SET result = 'canceled' WHERE operation_id = $1 AND result = ''
			AND (request = 0 OR EXISTS (SELECT 1 FROM scan_requests r WHERE r.login_key = key AND r.number = request AND r.ended_at > 0 AND r.problem = '`+canceled+`'))`, id); err != nil {
			return nil, err
		}
		rows, err := queryIn(ctx, tx, `SELECT result, count(*), sum(problem) FROM operation_items WHERE operation_id = $1 AND result <> '' GROUP BY result`, id)
		counts, err := collect(rows, err, func(row *sql.Rows) (c itemCount, err error) {
			return c, row.Scan(&c.Result, &c.Items, &c.Problems)
		})
		if err != nil {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionCancelOperation, Target: id}}, setCounts(ctx, tx, id, counts, now)
	})
	if err != nil {
		return fmt.Errorf("cancel operation %s: %w", id, err)
	}
	return nil
}

const operationColumns = `id, kind, change, backfill, states, note, caller, source, address, total, created_at, started_at, canceled_at, ended_at, counts`

func scanCounts(row *sql.Rows) (counts []itemCount, err error) {
	var text []byte
	if err = row.Scan(&text); err == nil {
		err = json.Unmarshal(text, &counts)
	}
	return counts, err
}

func scanOperation(row *sql.Rows) (o gistdeal.Operation, err error) {
	var states, counts string
	var created, started, canceled, ended int64
	if err := row.Scan(&o.ID, &o.Kind, &o.Change, &o.Backfill, &states, &o.Note, &o.Caller, &o.Source, &o.Address, &o.Total, &created, &started, &canceled, &ended, &counts); err != nil {
		return o, err
	}
	var all []itemCount
	if err := json.Unmarshal([]byte(counts), &all); err != nil {
		return o, err
	}
	o.Results = map[string]int{}
	count(&o, all...)
	o.CreatedAt, o.StartedAt, o.CanceledAt, o.EndedAt = fromMillis(created), fromMillis(started), fromMillis(canceled), fromMillis(ended)
	if states != "" {
		err = json.Unmarshal([]byte(states), &o.States)
	}
	return o.WithState(), err
}

// Operation returns the operation with that id and the numbers of its results; NotFound if
// there is none.
func (s *Store) Operation(ctx context.Context, id string) (o gistdeal.Operation, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+operationColumns+` FROM operations WHERE id = $1`, id)
	all, err := collect(rows, err, scanOperation)
	if err == nil && len(all) == 0 {
		err = notFound(sql.ErrNoRows, "operation %q does not exist", id)
	}
	if err != nil {
		return o, err
	}
	return all[0], nil
}

// Operations returns up to limit operations, the newest first, after the one that was
// created at that time and has that id; from the first one for the zero time. With pending
// it returns only those that have not ended.
func (s *Store) Operations(ctx context.Context, before time.Time, id string, pending bool, limit int) ([]gistdeal.Operation, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+operationColumns+` FROM operations
		WHERE (CAST($1 AS BIGINT) = 0 OR created_at < $1 OR (created_at = $1 AND id < $2)) AND (ended_at = 0 OR CAST($3 AS BIGINT) = 0)
		ORDER BY created_at DESC, id DESC LIMIT $4`, millis(before), id, boolean(pending), limit)
	return collect(rows, err, scanOperation)
}

// OperationItems returns up to limit items of an operation, those with a problem first,
// after the item that has the number and the problem of after.
func (s *Store) OperationItems(ctx context.Context, id string, after gistdeal.OperationItem, limit int) ([]gistdeal.OperationItem, error) {
	problem := int64(2)
	if after.N > 0 {
		problem = boolean(after.Problem)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT n, input, result, reason, problem FROM operation_items WHERE operation_id = $1
		AND (problem < $2 OR (problem = $2 AND n > $3)) ORDER BY problem DESC, n LIMIT $4`, id, problem, after.N, limit)
	return collect(rows, err, func(row *sql.Rows) (i gistdeal.OperationItem, err error) {
		var problem int64
		err = row.Scan(&i.N, &i.Input, &i.Result, &i.Reason, &problem)
		i.Problem = problem != 0
		return i, err
	})
}

// DeleteOperations deletes the operations that ended 30 days before now.
func (s *Store) DeleteOperations(ctx context.Context, now time.Time) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before := millis(now.Add(-keepOperations))
		_, err := tx.ExecContext(ctx, `DELETE FROM operation_items WHERE operation_id IN (SELECT id FROM operations WHERE ended_at > 0 AND ended_at < $1)`, before)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM operations WHERE ended_at > 0 AND ended_at < $1`, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete old operations: %w", err)
	}
	return nil
}

// eraseItems empties the texts about a user in operations. Its pending items name nothing
// any more.
func eraseItems(ctx context.Context, tx *sql.Tx, u gistdeal.User) error {
	const ofUser = `(key = $1 OR key = $2 OR key IN (SELECT id FROM gists WHERE user_id = $3) OR lower(input) LIKE $4 ESCAPE '\'
		OR (key = '' AND lower(input) LIKE $5 ESCAPE '\'))` // Inputs without a key are invalid, and may have a login and more.
	login := gistdeal.LoginKey(u.Login)
	inText := "%" + likePattern.Replace(login) + "%"
	inURL := "%/" + likePattern.Replace(login) + "/%"
	if u.LoginStale { // It is another person's.
		login, inText, inURL = "-", "-", "-"
	}
	for _, statement := range []string{
		`UPDATE operations SET note = '' WHERE id IN (SELECT operation_id FROM operation_items WHERE ` + ofUser + `)`,
		`UPDATE operation_items SET input = '', key = '', tags = '', reason = '' WHERE ` + ofUser,
	} {
		if _, err := tx.ExecContext(ctx, statement, login, fmt.Sprintf("id:%d", u.ID), u.ID, inURL, inText); err != nil {
			return err
		}
	}
	return nil
}
