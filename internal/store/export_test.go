package store

import (
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

// Pragma returns a setting of SQLite's connection.
func (s *Store) Pragma(t *testing.T, name string) (value string) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Show returns a run-time parameter of PostgreSQL's sessions.
func (s *Store) Show(t *testing.T, name string) (value string) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), "SHOW "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Fill simulates a full disk: the file of a SQLite database cannot grow.
func (s *Store) Fill(t *testing.T) { s.Exec(t, `PRAGMA max_page_count = 1`) }

// MakeRoom ends the full disk that Fill simulates.
func (s *Store) MakeRoom(t *testing.T) { s.Exec(t, `PRAGMA max_page_count = 1000000`) }

// Exec runs a statement without changes.
func (s *Store) Exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Migrate applies the files of the schema and then one more.
func (s *Store) Migrate(t *testing.T, last string) error {
	t.Helper()
	files, err := fs.Glob(schema, s.db.dialect.schema+"/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{fmt.Sprintf("%s/%04d_last.sql", s.db.dialect.schema, len(files)+1): {Data: []byte(last)}}
	for _, file := range files {
		text, err := schema.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder[file] = &fstest.MapFile{Data: text}
	}
	return s.migrate(t.Context(), folder)
}

// SetClock moves the clock of the lease.
func (s *Store) SetClock(by time.Duration) {
	s.lease.(*rowLease).now = func() time.Time { return time.Now().Add(by) }
}

// SetLimit sets the time that the store waits for the database.
func (s *Store) SetLimit(limit time.Duration) { s.db.limit, s.read.limit = limit, limit }

// Tables returns the sorted names of all tables except migrations.
func (s *Store) Tables(t *testing.T) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name`
	if _, ok := s.lease.(*rowLease); ok {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' ORDER BY tablename`
	}
	rows, err := s.read.QueryContext(t.Context(), query)
	names, err := collect(rows, err, func(row *sql.Rows) (name string, err error) { return name, row.Scan(&name) })
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// CopiedTables returns the sorted names of the tables in a copy.
func CopiedTables() (names []string) {
	for _, t := range tables {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// CountRows returns the number of rows of a table.
func (s *Store) CountRows(t *testing.T, table string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Path returns the path of a SQLite database.
func (s *Store) Path(t *testing.T) (path string) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&path); err != nil {
		t.Fatal(err)
	}
	return path
}

// LongRead begins a read that lasts until the returned function is called.
func (s *Store) LongRead(t *testing.T) (end func()) {
	t.Helper()
	tx, err := s.read.db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = tx.ExecContext(t.Context(), `SELECT count(*) FROM users`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// TableSize returns the size of a PostgreSQL table in bytes, with its dead rows.
func (s *Store) TableSize(t *testing.T, table string) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), `SELECT pg_relation_size($1::regclass)`, table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
