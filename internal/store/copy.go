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

// table is one that a copy copies, in an order in which its references exist.
type table struct{ name, key string }

var tables = []table{
	{"settings", "name"},
	{"counters", "name"},
	{"users", "id"},
	{"gists", "id"},
	{"deals", "gist_id"},
	{"attempts", "gist_id, n"},
	{"duplicate_deals", "deal_id"},
	{"replaced_deals", "deal_id"},
	{"visits", "visitor, user_id"},
	{"tokens", "name"},
	{"scan_requests", "login_key"},
	{"audits", "id"},
	{"runs", "id"},
	{"erased", "login_hash"},
}

// copyValues is how many values one statement of a copy inserts at the most:
// SQLite takes 32,766, PostgreSQL 65,535.
const copyValues = 2000

// CopiedTable is one table of a copy.
type CopiedTable struct {
	Name string `json:"table"`
	Rows int    `json:"rows"`
}

// Copy copies every row of a SQLite database into a new PostgreSQL database and
// compares both, in one transaction of each: either all is there and equal, or
// nothing is, and nobody writes to the source meanwhile. Invalid if a gistdeal
// works on one of them, or if the target has rows. Each table is told once it
// is compared.
func Copy(ctx context.Context, from, to *Store, tell func(CopiedTable)) error {
	for _, s := range []*Store{from, to} {
		lease, err := s.TryLease(ctx)
		if err != nil {
			return err
		}
		if lease == nil {
			return gistdeal.Errorf(gistdeal.Invalid, "a gistdeal works on one of the two databases: stop it, then copy")
		}
		defer s.Release() //nolint:errcheck // It ends with the process at the latest.
	}
	source, err := from.db.db.BeginTx(ctx, nil) // It locks the file: see openSQLite.
	if err != nil {
		return err
	}
	defer source.Rollback() //nolint:errcheck // Nothing was written.
	target, err := to.db.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	c := copying{source: source, target: target, tell: tell}
	if err := c.run(ctx); err != nil {
		return errors.Join(err, target.Rollback())
	}
	return target.Commit()
}

type copying struct {
	source, target *sql.Tx
	tell           func(CopiedTable)
}

func (c copying) run(ctx context.Context) error {
	if err := c.checkEmpty(ctx); err != nil {
		return err
	}
	// The triggers would count users' versions up.
	if _, err := c.target.ExecContext(ctx, `ALTER TABLE gists DISABLE TRIGGER USER`); err != nil {
		return err
	}
	for _, t := range tables {
		if err := c.copy(ctx, t); err != nil {
			return fmt.Errorf("copy table %s: %w", t.name, err)
		}
	}
	if _, err := c.target.ExecContext(ctx, `ALTER TABLE gists ENABLE TRIGGER USER`); err != nil {
		return err
	}
	for _, t := range tables {
		n, err := c.compare(ctx, t)
		if err != nil {
			return fmt.Errorf("compare table %s: %w", t.name, err)
		}
		c.tell(CopiedTable{t.name, n})
	}
	return nil
}

// checkEmpty deletes the rows that migrations inserted into the target, and returns
// an error if there are others.
func (c copying) checkEmpty(ctx context.Context) error {
	if _, err := c.target.ExecContext(ctx, `DELETE FROM counters WHERE value = 0`); err != nil {
		return err
	}
	for _, t := range tables {
		var used bool
		if err := c.target.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&used); err != nil {
			return err
		}
		if used {
			return gistdeal.Errorf(gistdeal.Invalid, "the database to copy to has rows already (table %s): name an empty one", t.name)
		}
	}
	return nil
}

// copy inserts the rows of a table, as many in a statement as may be.
func (c copying) copy(ctx context.Context, t table) error {
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

func (c copying) insert(ctx context.Context, t table, columns []string, values []any) error {
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

// compare returns how many rows a table has on both sides, and an error at the
// first that differs.
func (c copying) compare(ctx context.Context, t table) (n int, err error) {
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
		more, same := source.Next(), target.Next()
		if more != same {
			return n, errors.Join(fmt.Errorf("one side has more than %d rows", n), source.Err(), target.Err())
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
	}
}

// scanAny returns the values of a row as their database has them.
func scanAny(rows *sql.Rows, columns int) ([]any, error) {
	values, into := make([]any, columns), make([]any, columns)
	for i := range values {
		into[i] = &values[i]
	}
	return values, rows.Scan(into...)
}
