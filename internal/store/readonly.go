package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// OpenReadOnly opens a database for reading, also beside a running instance. It creates
// no file and does not migrate; writes fail. It is NotFound for a file that does not
// exist. The caller calls Schema before methods that read tables: an old database may
// lack them.
func OpenReadOnly(ctx context.Context, database string, o Options) (s *Store, err error) {
	o = o.orDefaults()
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

// Schema is how old a database is.
type Schema struct{ Version, Known int }

// Current reports whether the database is just as this gistdeal needs it.
func (s Schema) Current() bool { return s.Version == s.Known }

// Schema returns the version of the database's schema, 0 for an empty
// database, and the newest that this gistdeal knows. Another program's database
// is an error.
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
		return v, s.refuseOthers(ctx)
	}
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM migrations`).Scan(&v.Version)
	return v, err
}

// refuseOthers returns an error if the database has tables and none of them is
// gistdeal's. It is one query, because another gistdeal may be making its own.
func (s *Store) refuseOthers(ctx context.Context) error {
	var others bool
	if err := s.read.QueryRowContext(ctx, s.read.dialect.others).Scan(&others); err != nil {
		return err
	}
	if others {
		return errors.New("it holds another program's tables; name one of gistdeal's, or an empty one, in GISTDEAL_DATABASE_URL")
	}
	return nil
}

// CheckIntegrity returns nil if SQLite finds the file in order. It reads all of it.
// PostgreSQL has no such check: nil if it answers.
func (s *Store) CheckIntegrity(ctx context.Context) error {
	if _, ok := s.lease.(fileLease); !ok {
		return s.Ping(ctx)
	}
	return checkIntegrity(ctx, s.read)
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

// HasLeader reports whether a process holds the lease. It leaves the lease alone,
// but for an instant in which a process that asks for it may have to ask again.
func (s *Store) HasLeader(ctx context.Context) (bool, error) { return s.lease.taken(ctx) }
