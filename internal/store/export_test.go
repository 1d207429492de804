package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal/internal/testing/testenv"
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

// CheckCounts compares the counts with the rows.
func (s *Store) CheckCounts(t *testing.T) {
	t.Helper()
	for name, queries := range map[string][2]string{
		"of users, deals and duplicates": {
			`SELECT kind, state, sum(n) FROM counts GROUP BY kind, state HAVING sum(n) <> 0`,
			`SELECT 'users', state, count(*) FROM users GROUP BY state UNION ALL SELECT 'deals', state, count(*) FROM deals GROUP BY state
				UNION ALL SELECT 'duplicate_deals', '', count(*) FROM duplicate_deals HAVING count(*) <> 0`,
		},
		"of the deals of users": {
			`SELECT user_id, state, n FROM deal_counts WHERE n <> 0`,
			`SELECT g.user_id, d.state, count(*) FROM gists g JOIN deals d ON d.gist_id = g.id GROUP BY g.user_id, d.state`,
		},
		"of gists by day": {
			`SELECT day, '', sum(gists) FROM days GROUP BY day HAVING sum(gists) <> 0`,
			`SELECT noticed_at / 86400000, '', count(*) FROM gists GROUP BY noticed_at / 86400000`,
		},
		"of gists of first scans by day": {
			`SELECT day, '', sum(backfill) FROM days GROUP BY day HAVING sum(backfill) <> 0`,
			`SELECT noticed_at / 86400000, '', count(*) FROM gists WHERE noticed_by = 'first scan' GROUP BY noticed_at / 86400000`,
		},
		"of deals by day": {
			`SELECT day, '', sum(deals) FROM days GROUP BY day HAVING sum(deals) <> 0`,
			`SELECT ended_at / 86400000, '', count(*) FROM attempts WHERE outcome IN ('created', 'adopted') GROUP BY ended_at / 86400000`,
		},
	} {
		if diff := cmp.Diff(s.numbers(t, queries[1]), s.numbers(t, queries[0])); diff != "" {
			t.Errorf("counts %s are not those of the rows: %s", name, diff)
		}
	}
}

// numbers returns the last column of a query by the other two.
func (s *Store) numbers(t *testing.T, query string) map[string]int {
	t.Helper()
	numbers := map[string]int{}
	rows, err := s.db.QueryContext(t.Context(), query)
	_, err = collect(rows, err, func(row *sql.Rows) (struct{}, error) {
		var key, state string
		var n int
		err := row.Scan(&key, &state, &n)
		numbers[key+" "+state] = n
		return struct{}{}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

// Overlap runs two PostgreSQL transactions: the second one begins before the first one
// commits, and has waited for a lock or ended by then.
func (s *Store) Overlap(t *testing.T, first, second []string) {
	t.Helper()
	s.OverlapWith(t, first, func() error {
		tx, err := s.begin(t, second)
		if err == nil {
			err = tx.Commit()
		}
		return err
	})
}

// OverlapWith is Overlap with a function as the second transaction.
func (s *Store) OverlapWith(t *testing.T, first []string, second func() error) {
	t.Helper()
	tx, err := s.begin(t, first)
	testenv.Must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- second() }()
	testenv.Eventually(t, "the second transaction waits or has ended", func() bool {
		var waits bool
		testenv.Must(t, s.read.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits))
		return waits || len(ended) > 0
	})
	testenv.Must(t, tx.Commit())
	testenv.Must(t, <-ended)
}

// begin begins a transaction with some statements.
func (s *Store) begin(t *testing.T, statements []string) (*sql.Tx, error) {
	tx, err := s.db.db.BeginTx(t.Context(), nil)
	for _, statement := range statements {
		if err == nil {
			_, err = tx.ExecContext(t.Context(), statement)
		}
	}
	return tx, err
}

// FillUsers inserts n scanned users with the ids from 1, in all states. They were scanned
// within a second before now, and are due within 24 hours after it, in the order of their
// ids. One of a thousand was never scanned.
func (s *Store) FillUsers(ctx context.Context, n int, now time.Time) error {
	for _, statement := range []string{fmt.Sprintf(`WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < %[1]d)
		INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, next_scan_at)
		SELECT i, 'User-' || i, 'user-' || i, CASE i %% 100 WHEN 1 THEN 'paused' WHEN 2 THEN 'removed' WHEN 3 THEN 'gone' ELSE 'active' END,
			'none', i, CASE i %% 1000 WHEN 0 THEN 0 ELSE %[2]d - i %% 1000 END, %[2]d + 1 + i * 86400 / %[1]d * 1000 FROM numbers`, n, millis(now)), `INSERT INTO deal_counts SELECT id, s.state, 1 FROM users, (SELECT 'created' AS state UNION ALL SELECT 'failed' UNION ALL SELECT 'skipped') s`, `ANALYZE`} {
		if _, err := s.db.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// DeleteBeyond is deleteBeyond.
func (s *Store) DeleteBeyond(ctx context.Context, id string, kept int) error {
	return s.deleteBeyond(ctx, id, kept)
}
