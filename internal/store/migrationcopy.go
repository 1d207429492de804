package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// copyInfix stands between the path of a SQLite file and a schema's number in the path of
// the copy that is kept when that schema is migrated.
const copyInfix = ".schema-"

// MigrationCopy returns the path of the copy of a SQLite file that Open keeps beside it
// before it migrates that schema.
func MigrationCopy(path string, schema int) string {
	return fmt.Sprintf("%s%s%d", path, copyInfix, schema)
}

// keepCopy copies a SQLite file before its schema is migrated, and deletes the copies of
// earlier migrations.
func (s *Store) keepCopy(ctx context.Context, current, newest int) error {
	if s.file == "" || current == 0 || current >= newest {
		return nil
	}
	name := MigrationCopy(s.file, current)
	size, err := s.copyAs(ctx, name, current)
	if err != nil {
		return fmt.Errorf("copy the database to %q before its schema changes: %w", name, err)
	}
	if size > 0 {
		s.log.Info("database copied before its schema changes", "file", name, "bytes", size)
	}
	return s.deleteCopies(filepath.Base(name))
}

// copyAs copies the file to name, and returns 0 if another process has migrated it meanwhile.
func (s *Store) copyAs(ctx context.Context, name string, schema int) (size int64, err error) {
	part, err := newPart(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, removeIfExists(part)) }()
	from, err := readSQLite(s.file)
	if err != nil {
		return 0, err
	}
	size, err = from.copyTo(ctx, part)
	if err := errors.Join(err, from.Close()); err != nil {
		return 0, err
	}
	copied, err := OpenReadOnly(ctx, part, Options{})
	if err != nil {
		return 0, err
	}
	v, err := copied.Schema(ctx)
	if err := errors.Join(err, copied.Close()); err != nil || v.Version != schema {
		return 0, err
	}
	return size, errors.Join(os.Rename(part, name), syncFile(filepath.Dir(name)))
}

// deleteCopies deletes the copies of migrations, except the one with the name.
func (s *Store) deleteCopies(except string) error {
	if s.file == "" {
		return nil
	}
	dir := filepath.Dir(s.file)
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		number, ok := strings.CutPrefix(f.Name(), filepath.Base(s.file)+copyInfix)
		if ok && f.Name() != except && strings.Trim(number, "0123456789") == "" {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func removeIfExists(name string) error {
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
