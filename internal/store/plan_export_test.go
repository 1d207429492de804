package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// Planned is a query with what its database says about its execution.
type Planned struct {
	SQL  string
	Plan string
	Rows int // that it reads from tables; 0 for SQLite, which does not say
}

// Plans returns a function that returns the queries since its last call, with their plans.
func (s *Store) Plans(t *testing.T) func() []Planned {
	t.Helper()
	log := &queryLog{db: s.read.db}
	plain, written := s.read.db, s.db.db
	recorded := sql.OpenDB(log)
	s.db.db, s.read.db, s.read.statements = recorded, recorded, nil
	t.Cleanup(func() {
		testenv.Must(t, plain.Close())
		if written != plain {
			testenv.Must(t, written.Close())
		}
	})
	return func() (all []Planned) {
		t.Helper()
		for _, q := range log.take() {
			p := Planned{SQL: q.text}
			if _, ok := s.lease.(*rowLease); ok {
				p.Plan, p.Rows = explainPostgres(t, plain, q)
			} else {
				p.Plan = explainSQLite(t, plain, q)
			}
			all = append(all, p)
		}
		return all
	}
}

// query is a text with its arguments.
type query struct {
	text string
	args []any
}

func explainSQLite(t *testing.T, db *sql.DB, q query) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+q.text, q.args...)
	testenv.Must(t, err)
	lines, err := scanAll(rows, func(row *sql.Rows) (line string, err error) {
		var n int
		return line, row.Scan(&n, &n, &n, &line)
	})
	testenv.Must(t, err)
	return strings.Join(lines, "\n")
}

// node is a node of a plan of PostgreSQL.
type node struct {
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Actual Rows"` // that it returned, in each loop
	Filtered float64 `json:"Rows Removed by Filter"`
	Loops    float64 `json:"Actual Loops"`
	Plans    []node
}

// reads returns how many rows of tables a node reads.
func (n node) reads() (rows int) {
	if n.Relation != "" {
		rows = int((n.Rows + n.Filtered) * n.Loops)
	}
	for _, other := range n.Plans {
		rows += other.reads()
	}
	return rows
}

func explainPostgres(t *testing.T, db *sql.DB, q query) (plan string, reads int) {
	t.Helper()
	testenv.Must(t, db.QueryRowContext(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+q.text, q.args...).Scan(&plan))
	var plans []struct{ Plan node }
	testenv.Must(t, json.Unmarshal([]byte(plan), &plans))
	return plan, plans[0].Plan.reads()
}

// queryLog runs queries on connections of a pool, and records them.
type queryLog struct {
	db      *sql.DB
	mu      sync.Mutex
	queries []query
}

// Driver is driver.Connector's.
func (l *queryLog) Driver() driver.Driver { return l.db.Driver() }

// Connect is driver.Connector's.
func (l *queryLog) Connect(ctx context.Context) (inner driver.Conn, err error) {
	c, err := l.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	err = c.Raw(func(raw any) error {
		inner = loggedConn{raw.(driver.Conn), c, l}
		return nil
	})
	return inner, err
}

func (l *queryLog) take() []query {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.queries
	l.queries = nil
	return all
}

// loggedConn is a connection whose queries are recorded.
type loggedConn struct {
	driver.Conn
	lent *sql.Conn
	log  *queryLog
}

// Close returns the connection to its pool.
func (c loggedConn) Close() error { return c.lent.Close() }

// QueryContext is driver.QueryerContext's.
func (c loggedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	q := query{text: text}
	for _, a := range args {
		q.args = append(q.args, a.Value)
	}
	c.log.mu.Lock()
	c.log.queries = append(c.log.queries, q)
	c.log.mu.Unlock()
	inner, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, fmt.Errorf("%T runs no queries", c.Conn)
	}
	return inner.QueryContext(ctx, text, args)
}

// CheckNamedValue is driver.NamedValueChecker's.
func (c loggedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}
