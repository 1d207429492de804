package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gistdeal"
)

// table is a table and the columns of its primary key.
type table struct{ name, key string }

// tables are the tables to copy. A table follows the tables that it references.
var tables = []table{
	{"settings", "name"},
	{"counters", "name"},
	{"users", "id"},
	{"gists", "id"},
	{"deals", "gist_id"},
	{"attempts", "gist_id, n"},
	{"own_deals", "deal_id"},
	{"duplicate_deals", "deal_id"},
	{"replaced_deals", "deal_id"},
	{"archived_deals", "deal_id"},
	{"amendments", "gist_id"},
	{"visits", "visitor, user_id"},
	{"tokens", "name"},
	{"webhooks", "id"},
	{"deliveries", "webhook_id, event_id"},
	{"people", "issuer, subject"},
	{"sessions", "hash"},
	{"scan_requests", "login_key"},
	{"operations", "id"},
	{"operation_items", "operation_id, n"},
	{"idempotency_keys", "caller, key"},
	{"audits", "id"},
	{"runs", "id"},
	{"erased", "login_hash"},
	{"audit_log", "id"},
	{"events", "id"},
	{"counts", "kind, state, part"},
	{"deal_counts", "user_id, state"},
	{"days", "day, part"},
	{"delays", "day, bucket"},
	{"feed_gists", "id"},
}

// copyValues is the maximum number of values that one statement inserts. PostgreSQL
// allows 65,535, SQLite 32,766.
const copyValues = 2000

// CopiedTable is a copied table and its number of rows.
type CopiedTable struct {
	Name string `json:"table"`
	Rows int    `json:"rows"`
}

// CopyStep is the progress of a copy: the rows of all tables that were copied or, in the
// second half, compared.
type CopyStep struct {
	Table       string
	Compares    bool
	Rows, Total int
}

// Copy copies every row of a SQLite database to an empty PostgreSQL database and then
// compares both. It uses one transaction in each database: it copies everything or
// nothing, and no process can write to the source meanwhile. Copy calls progress after
// some rows. The error is Invalid if either database has a leader or the target has rows.
func Copy(ctx context.Context, from, to *Store, progress func(CopyStep)) ([]CopiedTable, error) {
	for _, s := range []*Store{from, to} {
		lease, err := s.TryLease(ctx)
		if err != nil {
			return nil, err
		}
		if lease == nil {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "gistdeal is running on one of the two databases: stop it, then copy again")
		}
		defer s.Release() //nolint:errcheck // The lease ends with the process anyway.
	}
	source, err := from.db.db.BeginTx(ctx, nil) // This locks the file; see openSQLite.
	if err != nil {
		return nil, err
	}
	defer source.Rollback() //nolint:errcheck // Nothing was written.
	target, err := to.db.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	c := copier{source: source, target: target, progress: progress}
	copied, err := c.run(ctx)
	if err != nil {
		return nil, errors.Join(err, target.Rollback())
	}
	return copied, target.Commit()
}

type copier struct {
	source, target *sql.Tx
	progress       func(CopyStep)
	step           CopyStep
}

// copyStep is the number of rows after which progress is reported.
const copyStep = 1000

func (c *copier) run(ctx context.Context) (copied []CopiedTable, err error) {
	if err := c.checkEmpty(ctx); err != nil {
		return nil, err
	}
	if err := c.copyAll(ctx); err != nil {
		return nil, err
	}
	c.step.Compares, c.step.Rows = true, 0
	for _, t := range tables {
		c.step.Table = t.name
		n, err := c.compare(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("compare table %s: %w", t.name, err)
		}
		copied = append(copied, CopiedTable{t.name, n})
	}
	_, err = c.target.ExecContext(ctx, dropIdentity)
	return copied, err
}

// copyAll copies all tables.
func (c *copier) copyAll(ctx context.Context) error {
	for _, t := range tables {
		var rows int
		if err := c.source.QueryRowContext(ctx, `SELECT count(*) FROM `+t.name).Scan(&rows); err != nil {
			return err
		}
		c.step.Total += rows
	}
	if err := c.setTriggers(ctx, "DISABLE"); err != nil {
		return err
	}
	for _, t := range tables {
		c.step.Table = t.name
		if err := c.copy(ctx, t); err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	return c.setTriggers(ctx, "ENABLE")
}

// done reports that one more row was copied or compared, now and then.
func (c *copier) done() {
	if c.step.Rows++; c.step.Rows%copyStep == 0 || c.step.Rows == c.step.Total {
		c.progress(c.step)
	}
}

// setTriggers disables or enables the triggers that count rows and raise the versions of
// users, because counts and versions are copied.
func (c *copier) setTriggers(ctx context.Context, verb string) error {
	for _, name := range []string{"users", "gists", "deals", "attempts", "duplicate_deals"} {
		if _, err := c.target.ExecContext(ctx, `ALTER TABLE `+name+` `+verb+` TRIGGER USER`); err != nil {
			return err
		}
	}
	return nil
}

// checkEmpty deletes the rows that migrations inserted destinations the target, and returns
// an error if there are others.
func (c *copier) checkEmpty(ctx context.Context) error {
	if _, err := c.target.ExecContext(ctx, `DELETE FROM counters WHERE value = 0`); err != nil {
		return err
	}
	for _, t := range tables {
		var used bool
		if err := c.target.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&used); err != nil {
			return err
		}
		if used {
			return gistdeal.Errorf(gistdeal.Invalid, "the target database is not empty (table %s has rows): name an empty database", t.name)
		}
	}
	return nil
}

// copy copies the rows of a table, up to copyValues values per statement.
func (c *copier) copy(ctx context.Context, t table) error {
	rows, err := c.source.QueryContext(ctx, `SELECT * FROM `+t.name+` ORDER BY `+t.key)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var values []any
	for rows.Next() {
		row, err := scanAny(rows, len(columns))
		if err != nil {
			return err
		}
		c.done()
		if values = append(values, row...); len(values)+len(columns) > copyValues {
			if err := c.insert(ctx, t, columns, values); err != nil {
				return err
			}
			values = nil
		}
	}
	if err := rows.Err(); err != nil || len(values) == 0 {
		return err
	}
	return c.insert(ctx, t, columns, values)
}

func (c *copier) insert(ctx context.Context, t table, columns []string, values []any) error {
	var text strings.Builder
	fmt.Fprintf(&text, "INSERT INTO %s (%s) VALUES ", t.name, strings.Join(columns, ", "))
	for i := range values {
		switch {
		case i == 0:
			text.WriteString("(")
		case i%len(columns) == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "$%d", i+1)
	}
	text.WriteString(")")
	_, err := c.target.ExecContext(ctx, text.String(), values...)
	return err
}

// compare returns the number of rows of a table, or an error at the first row that
// differs.
func (c *copier) compare(ctx context.Context, t table) (n int, err error) {
	query := `SELECT * FROM ` + t.name + ` ORDER BY ` + t.key
	source, err := c.source.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	target, err := c.target.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer target.Close()
	columns, err := target.Columns()
	if err != nil {
		return 0, err
	}
	for ; ; n++ {
		more, targetMore := source.Next(), target.Next()
		if more != targetMore {
			return n, errors.Join(fmt.Errorf("one database has more than %d rows", n), source.Err(), target.Err())
		}
		if !more {
			return n, errors.Join(source.Err(), target.Err())
		}
		a, err := scanAny(source, len(columns))
		if err != nil {
			return n, err
		}
		b, err := scanAny(target, len(columns))
		if err != nil {
			return n, err
		}
		if !reflect.DeepEqual(a, b) {
			return n, fmt.Errorf("row %d differs", n+1)
		}
		c.done()
	}
}

// scanAny returns the values of a row in the types of the driver.
func scanAny(rows *sql.Rows, columns int) ([]any, error) {
	values, destinations := make([]any, columns), make([]any, columns)
	for i := range values {
		destinations[i] = &values[i]
	}
	return values, rows.Scan(destinations...)
}
