package store

import (
	"testing"
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

// Exec runs a statement as it is.
func (s *Store) Exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// SetClock makes the lease's clock differ from the machine's.
func (s *Store) SetClock(by time.Duration) {
	s.lease.(*rowLease).now = func() time.Time { return time.Now().Add(by) }
}

// SetLimit makes the store wait for the database no longer than limit.
func (s *Store) SetLimit(limit time.Duration) { s.db.limit, s.read.limit = limit, limit }
