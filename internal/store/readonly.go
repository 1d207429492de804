package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"gistdeal"
)

// OpenReadOnly opens the database in the file path as it is, also beside a
// process that works on it: no file is made, the schema stays as it is, and
// what would write fails. NotFound if there is no such file yet. Before methods
// that read tables comes Schema: an old database may not have them.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	abs, err := existing(path)
	if err != nil {
		return nil, err
	}
	db, err := connect(abs, readers, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("database file %q: %w", path, err)
	}
	s := &Store{db: db, read: db, lock: flock.New(abs + ".lock")}
	if _, err := s.Schema(ctx); err != nil {
		return nil, errors.Join(explain(path, err), s.Close())
	}
	return s, nil
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

// Schema is how old a database is.
type Schema struct{ Version, Known int }

// Current reports whether the database is just as this gistdeal needs it.
func (s Schema) Current() bool { return s.Version == s.Known }

// Schema returns the version of the database's schema, 0 for an empty file,
// and the newest that this gistdeal knows.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	files, err := fs.Glob(schema, "schema/sqlite/*.sql")
	if err != nil {
		return Schema{}, err
	}
	v := Schema{Known: len(files)}
	var made bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'migrations')`).Scan(&made); err != nil || !made {
		return v, err
	}
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM migrations`).Scan(&v.Version)
	return v, err
}

// Sound returns nil if SQLite finds the file in order. It reads all of it.
func (s *Store) Sound(ctx context.Context) error {
	return sound(ctx, s.read)
}

func sound(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the file is damaged; restore a backup (%s)", verdict)
	}
	return nil
}

// Worked reports whether a process holds the lease. It leaves the lease alone,
// but for an instant in which a process that asks for it may have to ask again.
func (s *Store) Worked() (bool, error) {
	// The lock would make its file.
	if _, err := os.Stat(s.lock.Path()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	free, err := s.lock.TryRLock()
	if err != nil {
		return false, fmt.Errorf("lock file %q: %w", s.lock.Path(), err)
	}
	if !free {
		return true, nil
	}
	return false, s.lock.Unlock()
}
