package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// database is the program's database, seen from outside.
type database struct {
	path string
	copy string // folder of the copy that restore puts back
}

// parts are the files that hold committed data; the others are made anew.
var parts = []string{"", "-wal"}

// keep copies the database, which nobody uses.
func (d database) keep() error {
	if err := os.RemoveAll(d.copy); err != nil {
		return err
	}
	if err := os.Mkdir(d.copy, 0o700); err != nil {
		return err
	}
	for _, part := range parts {
		if err := copyFile(filepath.Join(d.copy, "db"+part), d.path+part); err != nil {
			return fmt.Errorf("keep the database: %w", err)
		}
	}
	return nil
}

// lose deletes the database.
func (d database) lose() error {
	for _, part := range append(parts, "-shm") {
		if err := os.Remove(d.path + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// restore puts the copy in the database's place, if there is one.
func (d database) restore() error {
	if err := d.lose(); err != nil {
		return err
	}
	for _, part := range parts {
		if err := copyFile(d.path+part, filepath.Join(d.copy, "db"+part)); err != nil {
			return fmt.Errorf("restore the database: %w", err)
		}
	}
	return nil
}

// copyFile copies a file; one that is not there stays away.
func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// row is where a gist's deal stands.
type row struct {
	state  string
	dealID int64
}

// deals returns the deals' rows by gist id, none if there is no database yet.
func (d database) deals(ctx context.Context) (map[string]row, error) {
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
func (d database) sending(ctx context.Context) (n int, err error) {
	err = d.query(ctx, `SELECT count(*) FROM deals WHERE state = 'sending'`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// waiting returns how many deals wait for something, and users for a scan since then.
func (d database) waiting(ctx context.Context, since time.Time) (n int, err error) {
	err = d.query(ctx, `SELECT (SELECT count(*) FROM deals WHERE state IN ('found', 'sending')) + (SELECT count(*) FROM users WHERE last_scan_at < $1)`,
		[]any{since.UnixMilli()}, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}

// query reads without changing anything, the logs of what was not yet written
// back included.
func (d database) query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+d.path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return d.explain(ctx, db, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// explain returns nil for the error of a database whose schema nobody has made yet.
func (d database) explain(ctx context.Context, db *sql.DB, err error) error {
	var tables int
	if countErr := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'deals'`).Scan(&tables); countErr == nil && tables == 0 {
		return nil
	}
	return fmt.Errorf("read the database: %w", err)
}
