package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// OpenReadOnly opens a database for reading, even while an instance uses it. It creates no
// file and does not migrate the schema. Methods that write return an error. The error is
// NotFound if the file does not exist. Callers must check Schema before methods that read
// tables, because an old database may lack tables.
func OpenReadOnly(ctx context.Context, database string, o Options) (s *Store, err error) {
	o = o.orDefaults()
	if err := CheckName(database); err != nil {
		return nil, err
	}
	if isPostgres(database) {
		s, err = readPostgres(database, o)
	} else {
		s, err = readSQLite(database)
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.Schema(ctx); err != nil {
		return nil, errors.Join(s.read.dialect.explain(database, err), s.Close())
	}
	return s, nil
}

// Schema has the version of a database's schema, 0 for an empty database, and the newest
// version that this gistdeal knows.
type Schema struct{ Version, Known int }

// Current reports whether the schema is the one that this gistdeal uses.
func (s Schema) Current() bool { return s.Version == s.Known }

// Check returns an error with the next step unless this gistdeal uses the schema. The
// database is its name for people.
func (s Schema) Check(database string) error {
	switch {
	case s.Version > s.Known:
		return fmt.Errorf("%s belongs to a newer gistdeal (schema %d, this version knows %d): upgrade this gistdeal; to go back to it instead, `gistdeal restore` the copy made before that upgrade", database, s.Version, s.Known)
	case s.Version < s.Known:
		return fmt.Errorf("%s belongs to an older gistdeal (schema %d, this version has %d): stop that one and start `gistdeal serve` of this version, which migrates the database; or use the older version", database, s.Version, s.Known)
	}
	return nil
}

// Schema returns the versions of the schema. It returns an error for a database of another
// program.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	files, err := fs.Glob(schema, s.read.dialect.schema+"/*.sql")
	if err != nil {
		return Schema{}, err
	}
	v := Schema{Known: len(files)}
	var migrated bool
	if err := s.read.QueryRowContext(ctx, s.read.dialect.migrated).Scan(&migrated); err != nil {
		return v, err
	}
	if !migrated {
		return v, s.refuseForeign(ctx)
	}
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM migrations`).Scan(&v.Version)
	return v, err
}

// refuseForeign returns an error if the database has tables, but none of gistdeal. It runs
// one query, because another instance may be creating tables.
func (s *Store) refuseForeign(ctx context.Context) error {
	var foreign bool
	if err := s.read.QueryRowContext(ctx, s.read.dialect.foreign).Scan(&foreign); err != nil {
		return err
	}
	if foreign {
		return errors.New("it contains another program's tables; set GISTDEAL_DATABASE_URL to a gistdeal database or an empty one")
	}
	return nil
}

// Size returns how many bytes the database takes on its disk.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	if err = s.read.QueryRowContext(ctx, s.read.dialect.size).Scan(&bytes); err != nil {
		err = fmt.Errorf("read the size of the database: %w", err)
	}
	return bytes, err
}

// CheckIntegrity returns an error if SQLite finds damage. It reads the whole file. For
// PostgreSQL, which has no such check, it is Ping.
func (s *Store) CheckIntegrity(ctx context.Context) error {
	if _, ok := s.lease.(fileLease); !ok {
		return s.Ping(ctx)
	}
	return checkIntegrity(ctx, s.read)
}

// checkWithin is CheckIntegrity as far as it gets within the limit.
func (s *Store) checkWithin(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.CheckIntegrity(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

func checkIntegrity(ctx context.Context, db *pool) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the file is damaged; restore a backup (%s)", verdict)
	}
	return nil
}

// HasLeader reports whether a process holds the lease. For an instant it locks the lease of
// a SQLite file, so that a process that tries to take it then has to try again.
func (s *Store) HasLeader(ctx context.Context) (bool, error) { return s.lease.taken(ctx) }
