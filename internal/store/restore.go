package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"gistdeal"
)

// CheckRestore returns an error unless the backup in the file from can replace the SQLite
// database in the file path: it is sound, of this version or an older one, and no gistdeal
// runs on the database, which need not exist. It returns the schema of the backup.
func CheckRestore(ctx context.Context, path, from string) (Schema, error) {
	if isPostgres(path) {
		return Schema{}, gistdeal.Errorf(gistdeal.Invalid, "the database is in PostgreSQL: restore a dump with pg_restore")
	}
	if err := CheckName(path); err != nil {
		return Schema{}, err
	}
	if a, err := os.Stat(path); err == nil {
		if b, err := os.Stat(from); err == nil && os.SameFile(a, b) {
			return Schema{}, gistdeal.Errorf(gistdeal.Invalid, "%q is the database itself: name a backup", from)
		}
	}
	schema, err := checkBackup(ctx, from)
	if err != nil {
		return schema, err
	}
	abs, err := restorePath(path)
	if err != nil {
		return schema, err
	}
	running, err := fileLease{flock.New(abs + ".lock")}.taken(ctx)
	if err == nil && running {
		err = errRunning(abs)
	}
	return schema, err
}

// checkBackup returns the schema of a backup, or an error unless it can be used.
func checkBackup(ctx context.Context, from string) (v Schema, err error) {
	s, err := OpenReadOnly(ctx, from, Options{})
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if v, err = s.Schema(ctx); err != nil {
		return v, err
	}
	if v.Version == 0 {
		return v, gistdeal.Errorf(gistdeal.Invalid, "%q is no backup of gistdeal: it has no tables", from)
	}
	if v.Version > v.Known {
		return v, v.Check(from)
	}
	if err := s.CheckIntegrity(ctx); err != nil {
		return v, fmt.Errorf("%q: %w", from, err)
	}
	return v, nil
}

func errRunning(path string) error {
	return gistdeal.Errorf(gistdeal.Invalid, "a gistdeal runs on %s: stop it, then restore again", path)
}

// restorePath returns the canonical path of a database that may not exist.
func restorePath(path string) (string, error) {
	abs, err := existingFile(path)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return filepath.Abs(path)
	}
	return abs, err
}

// Restore puts a copy of the backup in the file from in the place of the SQLite database in
// the file path, which it renames to aside with the files beside it. See CheckRestore for
// what it refuses. No gistdeal can become the leader meanwhile.
func Restore(ctx context.Context, path, from, aside string) (err error) {
	if _, err := CheckRestore(ctx, path, from); err != nil {
		return err
	}
	abs, err := restorePath(path)
	if err != nil {
		return err
	}
	lock := flock.New(abs + ".lock")
	defer lock.Close() //nolint:errcheck // The lease ends with the process anyway.
	if free, err := lock.TryLock(); err != nil || !free {
		return errors.Join(err, errRunning(abs))
	}
	part, err := newPart(abs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeIfExists(part)) }()
	backup, err := readSQLite(from)
	if err != nil {
		return err
	}
	_, err = backup.copyTo(ctx, part)
	if err := errors.Join(err, backup.Close()); err != nil {
		return fmt.Errorf("copy %q: %w", from, err)
	}
	return replace(abs, part, aside)
}

// replace puts part in the place of the database abs. The log goes aside first: beside
// another database SQLite would apply it.
func replace(abs, part, aside string) error {
	if err := sameOwner(abs, part); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(abs+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the former database: %w", err)
		}
	}
	if err := os.Rename(part, abs); err != nil {
		return fmt.Errorf("the former database is now %q: %w", aside, err)
	}
	return syncFile(filepath.Dir(abs))
}
