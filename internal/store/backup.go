package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gistdeal"
)

// Backup copies the SQLite database in the file path to the new file to and returns its
// size. The copy is consistent even if other processes write meanwhile. It gets its
// name only after it is synced and checked, so a file with that name is complete. The
// error is Invalid if the file exists or the database is PostgreSQL, and NotFound if
// there is no database. Backup does not change the database.
func Backup(ctx context.Context, path, to string) (size int64, err error) {
	if isPostgres(path) {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "the database is in PostgreSQL: back it up with pg_dump, and restore it with pg_restore")
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "%q already exists: name a new file", to)
	}
	s, err := OpenReadOnly(ctx, path, Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	part, err := newPart(to)
	if err != nil {
		return 0, err
	}
	if size, err = s.copyTo(ctx, part); err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("back up to %q: %w", to, err), os.Remove(part))
	}
	return size, syncFile(filepath.Dir(to))
}

// newPart creates an empty file next to to that only this user may read.
func newPart(to string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".part-*")
	if err != nil {
		return "", fmt.Errorf("back up to %q: check that this user may write there: %w", to, err)
	}
	return f.Name(), f.Close()
}

// copyTo writes the database to the empty file part, checks it and syncs it.
func (s *Store) copyTo(ctx context.Context, part string) (int64, error) {
	// VACUUM INTO needs a connection that may write, although it writes only the copy.
	conn, err := s.read.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(0)`); err != nil {
		return 0, err
	}
	if _, err := conn.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
		return 0, err
	}
	if err := checkCopy(ctx, part); err != nil {
		return 0, err
	}
	info, err := os.Stat(part)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// checkCopy makes the copy a database of its own, checks it and syncs it.
func checkCopy(ctx context.Context, part string) error {
	db, err := connect(part, 1, "_pragma=secure_delete(1)")
	if err != nil {
		return err
	}
	if _, err = db.ExecContext(ctx, dropIdentity); err == nil {
		err = checkIntegrity(ctx, db)
	}
	return errors.Join(err, db.db.Close(), syncFile(part))
}

// syncFile syncs a file or a directory to the disk.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
