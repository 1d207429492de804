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

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gistdeal"
)

// sqliteDialect: a file is there or it is not, and has one writer.
var sqliteDialect = dialect{
	schema:   "schema/sqlite",
	migrated: `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'migrations')`,
	others:   `SELECT count(*) > 0 AND sum(name = 'migrations') = 0 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
	away:     fileAway,
	again:    func(error) bool { return false },
	explain:  explainFile,
}

// openSQLite opens the SQLite database in the file path, and creates it if there is
// none. Errors describe the fault of the file.
//
// Every commit is on the disk before it is reported (synchronous=FULL): otherwise a
// power cut could lose the record of an attempt, and so duplicate a deal.
func openSQLite(ctx context.Context, path string, o Options) (*Store, error) {
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
		return nil, errors.Join(fmt.Errorf("database file %q: %w", path, err), db.db.Close())
	}
	s := &Store{db: db, read: read, lease: fileLease{flock.New(abs + ".lock")}}
	if err := prepareFree(ctx, s); err != nil {
		return nil, errors.Join(explainFile(path, err), s.Close())
	}
	s.db.gaps = true // Of a full disk: small writes, and those that only read, go well.
	s.db.watch(&health{log: o.Log}, 0)
	s.read.watch(&health{log: o.Log}, 0)
	return s, nil
}

// prepareFree prepares the database once no other process that starts or ends
// has the file for itself: SQLite does not wait for those.
func prepareFree(ctx context.Context, s *Store) error {
	err := s.prepare(ctx)
	for n := 1; n < tries && busy(err) && pause(ctx, n); n++ {
		err = s.prepare(ctx)
	}
	return err
}

func busy(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == sqlite3.SQLITE_BUSY
}

// readSQLite opens the file path as it is; NotFound if there is no such file.
func readSQLite(path string) (*Store, error) {
	abs, err := existing(path)
	if err != nil {
		return nil, err
	}
	db, err := connect(abs, readers, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("database file %q: %w", path, err)
	}
	return &Store{db: db, read: db, lease: fileLease{flock.New(abs + ".lock")}}, nil
}

// existing returns the one true path of the file; NotFound if there is none.
func existing(path string) (string, error) {
	abs, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", gistdeal.Errorf(gistdeal.NotFound, "there is no database file %q", path)
	}
	if err == nil {
		abs, err = filepath.Abs(abs)
	}
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(abs); err == nil && info.IsDir() {
			err = errors.New("this is a folder; name a file in GISTDEAL_DATABASE_URL")
		}
	}
	if err != nil {
		return "", fmt.Errorf("database file %q: %w", path, err)
	}
	return abs, nil
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

// connect opens a pool of connections to the file at the path abs.
func connect(abs string, connections int, query string) (*pool, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath(), RawQuery: query}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	return newPool(db, connections, sqliteDialect), nil
}

// explainFile turns SQLite's error about an unusable file into advice.
func explainFile(path string, err error) error {
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

// fileAway returns the message for a file that was usable before and is not now, until a
// person frees space or restores the disk or the permissions.
func fileAway(err error) string {
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return "the disk of the database is full"
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return "the file of the database cannot be used"
		}
	}
	return ""
}

// fileLease is a lock of the operating system, which takes it back when the
// process ends, however it ends. It is never lost before.
type fileLease struct{ lock *flock.Flock }

func (l fileLease) try(ctx context.Context) (context.Context, error) {
	taken, err := l.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock file %q: %w", l.lock.Path(), err)
	}
	if !taken {
		return nil, nil
	}
	return ctx, nil
}

func (l fileLease) taken(context.Context) (bool, error) {
	// The lock would make its file.
	if _, err := os.Stat(l.lock.Path()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// Another handle of the file: this one may hold the lease, and must not give it back.
	look := flock.New(l.lock.Path())
	free, err := look.TryRLock()
	if err != nil {
		return false, fmt.Errorf("lock file %q: %w", l.lock.Path(), err)
	}
	return !free, look.Close()
}

func (l fileLease) release() error { return l.lock.Unlock() }

func (l fileLease) close() error { return l.lock.Close() }
