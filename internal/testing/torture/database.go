package torture

import (
	"context"
	"database/sql"
	"time"
)

// database is the program's database, seen from outside. Nobody uses it when it
// is kept, lost or restored.
type database interface {
	url() string                       // as the program is told
	keep(ctx context.Context) error    // makes a copy
	lose(ctx context.Context) error    // leaves an empty one
	restore(ctx context.Context) error // puts the copy in its place, if there is one
	query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error
}

// row is where a gist's deal stands.
type row struct {
	state  string
	dealID int64
}

// dealsOf returns the deals' rows by gist id, none if there is no database yet.
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

// sending returns how many deals are being sent, for all that the database knows.
func sending(ctx context.Context, d database) (n int, err error) {
	err = d.query(ctx, `SELECT count(*) FROM deals WHERE state = 'sending'`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// waiting returns how many deals wait for something, and users for a scan since then.
func waiting(ctx context.Context, d database, since time.Time) (n int, err error) {
	err = d.query(ctx, `SELECT (SELECT count(*) FROM deals WHERE state IN ('found', 'sending')) + (SELECT count(*) FROM users WHERE last_scan_at < $1)`,
		[]any{since.UnixMilli()}, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
