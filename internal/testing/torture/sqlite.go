package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// file is a SQLite database in a folder of its own.
type file struct {
	dir  string
	mend bool // reading may recover the database; otherwise reading changes nothing
}

const databaseName = "gistdeal.db"

// url returns the name of the database for the program.
func (f file) url() string { return filepath.Join(f.dir, databaseName) }

// record returns the path of the program's record of file operations.
func (f file) record() string { return filepath.Join(f.dir, "record") }

// base returns the folder with the files at the start of the record.
func (f file) base() string { return filepath.Join(f.dir, "base") }

// copied returns the folder of the copy for restore.
func (f file) copied() string { return filepath.Join(f.dir, "copy") }

// keep copies the unused database.
func (f file) keep(context.Context) error {
	files := map[string][]byte{}
	for _, name := range []string{databaseName, databaseName + "-wal"} { // The other files are created again.
		data, err := os.ReadFile(filepath.Join(f.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("keep the database: %w", err)
		}
		files[name] = data
	}
	return errors.Join(os.RemoveAll(f.copied()), writeFolder(f.copied(), files))
}

// lose deletes the database.
func (f file) lose(context.Context) error { return f.replace(nil) }

// restore replaces the database by the copy, if any.
func (f file) restore(context.Context) error {
	files, err := readFolder(f.copied())
	if err != nil {
		return fmt.Errorf("restore the database: %w", err)
	}
	return f.replace(files)
}

// query reads the database including its write-ahead log.
func (f file) query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	if _, err := os.Stat(f.url()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	mode := "ro"
	if f.mend {
		mode = "rw"
	}
	db, err := sql.Open("sqlite", "file:"+f.url()+"?mode="+mode+"&_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return f.explain(ctx, db, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// explain returns nil for the error of a database without a schema: it has no
// tables, or its first journal is not rolled back.
func (f file) explain(ctx context.Context, db *sql.DB, err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_READONLY_ROLLBACK {
		return nil
	}
	var tables int
	if countErr := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'deals'`).Scan(&tables); countErr == nil && tables == 0 {
		return nil
	}
	return fmt.Errorf("read the database: %w", err)
}
