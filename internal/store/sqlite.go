package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gistdeal"
)

// sqliteDialect never retries a transaction, because a file has only one writer.
var sqliteDialect = dialect{
	name:        "sqlite",
	schema:      "schema/sqlite",
	migrated:    `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'migrations')`,
	foreign:     `SELECT count(*) > 0 AND sum(name = 'migrations') = 0 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
	size:        `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`,
	unavailable: fileUnavailable,
	damaged:     fileDamaged,
	retryable:   func(error) bool { return false },
	scrub:       scrubFile,
	explain:     explainFile,
}

// openSQLite opens the SQLite database in the file path, and creates the file if it does
// not exist. Its errors describe the problem with the file.
//
// A commit returns only after its data is on the disk (synchronous=FULL). Otherwise a power
// cut could lose the record of an attempt, and gistdeal would create a duplicate deal.
func openSQLite(ctx context.Context, path string, o Options) (*Store, error) {
	abs, err := prepareFile(path)
	if err != nil {
		return nil, err
	}
	if err := restrict(abs, o.Log); err != nil {
		return nil, err
	}
	// One connection writes, because SQLite allows only one writer. Waiting for it in Go is
	// several times faster than waiting in SQLite.
	db, err := connect(abs, 1, "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, fmt.Errorf("database file %q: %w", path, err)
	}
	read, err := connect(abs, readConnections, "_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database file %q: %w", path, err), db.db.Close())
	}
	read.statements = &statements{} // SQLite parses a text for as long as a short query takes.
	s := &Store{db: db, read: read, lease: fileLease{flock.New(abs + ".lock")}, keys: keySource{o.EraseKey, abs + eraseKeySuffix}, file: abs, log: o.Log}
	err = prepareWhenFree(ctx, s)
	if err == nil && o.Check > 0 {
		err = s.checkWithin(ctx, o.Check)
	}
	if err != nil {
		return nil, errors.Join(explainFile(path, err), s.Close())
	}
	s.db.needsProbe = true // On a full disk, small writes and reads still succeed.
	damaged := new(atomic.Bool)
	s.db.watch(&health{log: o.Log, damaged: damaged}, 0)
	s.read.watch(&health{log: o.Log, damaged: damaged}, 0)
	return s, nil
}

// prepareWhenFree prepares the database. It tries again while another process that starts
// or stops has the file locked, because SQLite does not wait for such a lock.
func prepareWhenFree(ctx context.Context, s *Store) error {
	err := s.prepare(ctx)
	for n := 1; n < maxTries && busy(err) && backOff(ctx, n); n++ {
		err = s.prepare(ctx)
	}
	return err
}

func busy(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == sqlite3.SQLITE_BUSY
}

// readSQLite opens the file path read-only; NotFound if it does not exist.
func readSQLite(path string) (*Store, error) {
	abs, err := existingFile(path)
	if err != nil {
		return nil, err
	}
	db, err := connect(abs, readConnections, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("database file %q: %w", path, err)
	}
	return &Store{db: db, read: db, lease: fileLease{flock.New(abs + ".lock")}}, nil
}

// existingFile returns the canonical path of an existing file; NotFound if it does not
// exist.
func existingFile(path string) (string, error) {
	abs, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if abs, err = filepath.Abs(path); err == nil {
			err = gistdeal.Errorf(gistdeal.NotFound, "there is no database file %q", abs)
		}
		return "", err
	}
	if err == nil {
		abs, err = filepath.Abs(abs)
	}
	if err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(abs); err == nil && info.IsDir() {
			err = errors.New("this is a directory; name a file in GISTDEAL_DATABASE_URL")
		}
	}
	if err != nil {
		return "", fmt.Errorf("database file %q: %w", path, err)
	}
	return abs, nil
}

// prepareFile creates the file if it does not exist, readable only for this user, and
// returns its canonical path, so that two names of one file share one lease.
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
		hint = "this is a directory; name a file in GISTDEAL_DATABASE_URL"
	} else if errors.Is(err, fs.ErrNotExist) {
		hint = "check that its directory exists"
	} else if errors.Is(err, fs.ErrPermission) {
		hint = "check that this user may write there"
	}
	return "", fmt.Errorf("database file %q: %s (%w)", path, hint, err)
}

// restrict takes the permissions of a file and its companions away from everybody but its
// owner. New companions get the permissions of the file.
func restrict(abs string, log *slog.Logger) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(abs + suffix)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue // SQLite explains a file that it cannot use.
		}
		if err := os.Chmod(abs+suffix, info.Mode().Perm()&^0o077); err != nil {
			return fmt.Errorf("database file %q is open to other accounts of this machine, and this one may not change that: run `chmod 600` on it as its owner (%w)", abs+suffix, err)
		}
		log.Warn("database file closed to other accounts", "file", abs+suffix, "mode", info.Mode().Perm().String())
	}
	return nil
}

// connect opens a pool of connections to the file at the absolute path abs.
func connect(abs string, connections int, query string) (*pool, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath(), RawQuery: query}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	return newPool(db, connections, sqliteDialect), nil
}

// explainFile adds the path, and advice on the common errors of SQLite.
func explainFile(path string, err error) error {
	hint := ""
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB:
			hint = "the file is not a SQLite database; set GISTDEAL_DATABASE_URL to another file"
		case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			hint = "check that this user may write in its directory"
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

// fileUnavailable returns a message if the file has become unusable, until somebody frees
// space or restores the disk or the permissions; else "".
func fileUnavailable(err error) string {
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return diskFull
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return "the database file cannot be used"
		}
	}
	return ""
}

// fileDamaged reports whether err means that the file is damaged or was overwritten.
func fileDamaged(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && (se.Code()&0xff == sqlite3.SQLITE_CORRUPT || se.Code()&0xff == sqlite3.SQLITE_NOTADB)
}

// fileLease is a file lock. The operating system releases it when the process ends, even if
// the process is killed. It is never lost earlier.
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
	// Locking would create the file.
	if _, err := os.Stat(l.lock.Path()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// Use another handle, because l may hold the lease and unlocking would release it.
	probe := flock.New(l.lock.Path())
	free, err := probe.TryRLock()
	if err != nil {
		return false, fmt.Errorf("lock file %q: %w", l.lock.Path(), err)
	}
	return !free, probe.Close()
}

func (l fileLease) release() error { return l.lock.Unlock() }

func (l fileLease) close() error { return l.lock.Close() }
