package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gistdeal"
)

// Store is the database. Its methods may be called from many goroutines.
type Store struct {
	db   *sql.DB // writes, and reads that a decision hangs on
	read *sql.DB // what readers are shown; never waits for a write
	view *sql.Stmt
	lock *flock.Flock
}

// Open opens the SQLite database in the file path, makes it if there is none,
// and brings its schema up to date. Errors say what is wrong with the file.
//
// Every commit is on the disk before it is reported (synchronous=FULL): with
// less, a power cut could lose the record of an attempt, and so double a deal.
func Open(ctx context.Context, path string) (*Store, error) {
	abs, err := prepareFile(path)
	if err != nil {
		return nil, err
	}
	// One connection writes: SQLite has one writer anyway, and waiting for it in
	// Go is several times faster than waiting for it in SQLite.
	db, err := connect(abs, 1, "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, fmt.Errorf("database file %q: %w", path, err)
	}
	read, err := connect(abs, readers, "_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database file %q: %w", path, err), db.Close())
	}
	s := &Store{db: db, read: read, lock: flock.New(abs + ".lock")}
	if err = s.migrate(ctx); err == nil {
		s.view, err = read.PrepareContext(ctx, viewQuery)
	}
	if err != nil {
		return nil, errors.Join(explain(path, err), db.Close(), read.Close())
	}
	return s, nil
}

// prepareFile makes sure that there is a file which only this user may read,
// and returns its one true path: two names for one file share one lease.
func prepareFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err == nil {
		return path, nil
	}
	hint := "cannot be opened"
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		hint = "this is a folder; name a file in GISTDEAL_DATABASE_URL"
	} else if errors.Is(err, fs.ErrNotExist) {
		hint = "does its folder exist?"
	} else if errors.Is(err, fs.ErrPermission) {
		hint = "may this user write there?"
	}
	return "", fmt.Errorf("database file %q: %s (%w)", path, hint, err)
}

// readers is how many connections serve readers.
const readers = 4

// connect opens a pool of connections to the file at the path abs.
func connect(abs string, connections int, query string) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath(), RawQuery: query}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	// As many idle ones as open ones: to connect anew for each query costs more than the query.
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// explain turns what SQLite says of a file that it cannot use into what to do.
func explain(path string, err error) error {
	hint := ""
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB:
			hint = "the file is not a SQLite database; name another one in GISTDEAL_DATABASE_URL"
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			hint = "may this user write in its folder?"
		case sqlite3.SQLITE_CORRUPT:
			hint = "the file is damaged; restore a backup"
		case sqlite3.SQLITE_FULL:
			hint = "the disk is full"
		}
	}
	if hint == "" {
		return fmt.Errorf("database file %q: %w", path, err)
	}
	return fmt.Errorf("database file %q: %s (%w)", path, hint, err)
}

// Close closes the database and gives up the lease, if it is held.
func (s *Store) Close() error {
	var err error
	if s.view != nil { // A Store that is opened read-only has none.
		err = s.view.Close()
	}
	return errors.Join(err, s.read.Close(), s.db.Close(), s.lock.Close())
}

// Ping returns nil if the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1 FROM counters WHERE name = 'gist_seq'`).Scan(&one); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// TryLease takes the right to work (to talk to GitHub and Pipedrive) and
// reports whether this process now holds it. Only one process does; the
// operating system takes it back when the process ends, however it ends.
func (s *Store) TryLease() (bool, error) {
	held, err := s.lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("lock file %q: %w", s.lock.Path(), err)
	}
	return held, nil
}

// Release gives the lease back.
func (s *Store) Release() error { return s.lock.Unlock() }

// tx runs f in a transaction that is rolled back if f returns an error. f must
// use the transaction only: there is one connection, and waiting for another hangs.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// changed reports whether a conditional change found its row.
func changed(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// millis is how times enter SQL; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// clean drops what PostgreSQL's text cannot hold.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "") }

// notFound gives sql.ErrNoRows the kind that the server maps to 404.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return gistdeal.Errorf(gistdeal.NotFound, format, args...)
	}
	return err
}
