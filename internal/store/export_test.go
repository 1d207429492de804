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

// Fill makes the disk of a SQLite database full: the file cannot grow any more.
func (s *Store) Fill(t *testing.T) { s.Exec(t, `PRAGMA max_page_count = 1`) }

// MakeRoom makes the disk of a SQLite database large.
func (s *Store) MakeRoom(t *testing.T) { s.Exec(t, `PRAGMA max_page_count = 1000000`) }

// Exec runs a statement as it is.
func (s *Store) Exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Migrate applies the files of the schema and, after them, one more.
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

// SetClock makes the lease's clock differ from the machine's.
func (s *Store) SetClock(by time.Duration) {
	s.lease.(*rowLease).now = func() time.Time { return time.Now().Add(by) }
}

// SetLimit makes the store wait for the database no longer than limit.
func (s *Store) SetLimit(limit time.Duration) { s.db.limit, s.read.limit = limit, limit }

// Tables returns the names of all tables but the migrations, sorted.
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

// CopiedTables returns the names of the tables that a copy has, sorted.
func CopiedTables() (names []string) {
	for _, t := range tables {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// CountRows returns how many rows a table has.
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
