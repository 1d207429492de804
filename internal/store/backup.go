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

// Backup writes a copy of the database in the file path to the file at to and returns
// its size. The copy is consistent, also during writes, and it is synced and checked
// before it gets its name: a file of that name is complete. It is Invalid if the file
// exists or the database is PostgreSQL, which has its own tools; NotFound if there is
// no database. The database stays unchanged.
func Backup(ctx context.Context, path, to string) (size int64, err error) {
	if isPostgres(path) {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "the database is in PostgreSQL: back it up with pg_dump, and restore it with pg_restore")
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return 0, gistdeal.Errorf(gistdeal.Invalid, "%q exists already: name a new file", to)
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

// newPart makes an empty file beside the one at to, which only this user may read.
func newPart(to string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".part-*")
	if err != nil {
		return "", fmt.Errorf("back up to %q: may this user write there? (%w)", to, err)
	}
	return f.Name(), f.Close()
}

// copyTo writes the database into the empty file at part, checks and syncs it.
func (s *Store) copyTo(ctx context.Context, part string) (int64, error) {
	// On a connection that may write, for VACUUM INTO writes; it is only the copy.
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
	db, err := connect(part, 1, "mode=ro")
	if err != nil {
		return 0, err
	}
	if err := errors.Join(checkIntegrity(ctx, db), db.db.Close(), syncFile(part)); err != nil {
		return 0, err
	}
	info, err := os.Stat(part)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// syncFile returns after the writes to the file or folder are on the disk.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
