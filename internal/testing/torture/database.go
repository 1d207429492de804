package torture

import (
	"context"
	"database/sql"
	"time"
)

// database is the program's database, seen from outside. No process uses it while
// it is copied, lost or restored.
type database interface {
	url() string                       // for the program
	keep(ctx context.Context) error    // makes a copy
	lose(ctx context.Context) error    // replaces it by an empty one
	restore(ctx context.Context) error // replaces it by the copy, if any
	query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error
}

// row is the state of a gist's deal.
type row struct {
	state  string
	dealID int64
}

// dealsOf returns the rows of deals by gist id, none without a database.
func dealsOf(ctx context.Context, d database) (map[string]row, error) {
	rows := map[string]row{}
	err := d.query(ctx, `SELECT gist_id, state, coalesce(deal_id, 0) FROM deals`, nil, func(r *sql.Rows) error {
		var id string
		var one row
		err := r.Scan(&id, &one.state, &one.dealID)
		rows[id] = one
		return err
	})
	return rows, err
}

// sending returns the number of deals in state sending.
func sending(ctx context.Context, d database) (n int, err error) {
	err = d.query(ctx, `SELECT count(*) FROM deals WHERE state = 'sending'`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// waiting returns the number of pending deals and of users not scanned since then.
func waiting(ctx context.Context, d database, since time.Time) (n int, err error) {
	err = d.query(ctx, `SELECT (SELECT count(*) FROM deals WHERE state IN ('queued', 'sending')) + (SELECT count(*) FROM users WHERE last_scan_at < $1)`,
		[]any{since.UnixMilli()}, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
