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

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// database is the program's database, seen from outside, in a folder of its own.
type database struct {
	dir  string
	mend bool // whoever reads it may bring it in order; else nothing of it changes
}

const databaseName = "gistdeal.db"

func (d database) path() string { return filepath.Join(d.dir, databaseName) }

// record is where the program records what it does to the files.
func (d database) record() string { return filepath.Join(d.dir, "record") }

// base is the folder of what the files were when the record began.
func (d database) base() string { return filepath.Join(d.dir, "base") }

// copied is the folder of the copy that restore puts back.
func (d database) copied() string { return filepath.Join(d.dir, "copy") }

// keep copies the database, which nobody uses.
func (d database) keep() error {
	files := map[string][]byte{}
	for _, name := range []string{databaseName, databaseName + "-wal"} { // The others are made anew.
		data, err := os.ReadFile(filepath.Join(d.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("keep the database: %w", err)
		}
		files[name] = data
	}
	return errors.Join(os.RemoveAll(d.copied()), writeFolder(d.copied(), files))
}

// lose deletes the database.
func (d database) lose() error { return d.replace(nil) }

// restore puts the copy in the database's place, if there is one.
func (d database) restore() error {
	files, err := readFolder(d.copied())
	if err != nil {
		return fmt.Errorf("restore the database: %w", err)
	}
	return d.replace(files)
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

// query reads, the logs of what was not yet written back included.
func (d database) query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	if _, err := os.Stat(d.path()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	mode := "ro"
	if d.mend {
		mode = "rw"
	}
	db, err := sql.Open("sqlite", "file:"+d.path()+"?mode="+mode+"&_pragma=busy_timeout(10000)")
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

// explain returns nil for the error of a database whose schema nobody has made
// yet: it has no tables, or not even its first journal is rolled back.
func (d database) explain(ctx context.Context, db *sql.DB, err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_READONLY_ROLLBACK {
		return nil
	}
	var tables int
	if countErr := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'deals'`).Scan(&tables); countErr == nil && tables == 0 {
		return nil
	}
	return fmt.Errorf("read the database: %w", err)
}
