package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"gistdeal"
)

// dialect is how one database differs from the other.
type dialect struct {
	schema   string // folder of its migrations
	migrated string // query: is there a table of migrations?
	others   string // query: is there any other table, and none of migrations?
	// away returns the message for callers if err says that the database does not answer,
	// or not now; else "".
	away  func(err error) string
	again func(err error) bool // the transaction lost a race, and may win the next one
	// explain adds the database and the remedy to an error.
	explain func(database string, err error) error
}

// tries is how often a transaction that lost a race is tried in all.
const tries = 10

// pool is connections to the database. It has the methods of sql.DB that the
// store needs; each of them takes limit at the most, waiting for a connection
// included, and says that a database is away with an error of kind Temporary.
type pool struct {
	db      *sql.DB
	limit   time.Duration // 0 for none: a file answers at once
	dialect dialect
	health  *health // nil until it is watched
	gaps    bool    // one that goes well does not show that the database is back: see tryWriting
}

const unanswered = "the database does not answer"

// newPool returns a pool of so many connections, all of them kept: to connect
// anew for each query costs more than the query.
func newPool(db *sql.DB, connections int, d dialect) *pool {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{db: db, dialect: d}
}

// watch sets the pool's limit, and lets h know from now on whether the database
// answers. Before that, while the database is opened, errors are as they come.
func (p *pool) watch(h *health, limit time.Duration) { p.health, p.limit = h, limit }

// begin returns ctx with the pool's limit, and a function that the caller calls at the
// end with the error, to give it its kind.
func (p *pool) begin(ctx context.Context) (context.Context, func(error) error) {
	if p.health == nil {
		return ctx, func(err error) error { return err }
	}
	limited, cancel := ctx, func() {}
	if p.limit > 0 {
		limited, cancel = context.WithTimeout(ctx, p.limit)
	}
	return limited, func(err error) error {
		defer cancel()
		switch {
		case ctx.Err() != nil: // The caller waits no longer, which says nothing of the database.
		case err != nil && limited.Err() != nil:
			return p.health.away(err, unanswered)
		case err != nil && p.dialect.away(err) != "":
			return p.health.away(err, p.dialect.away(err))
		case !p.gaps:
			p.health.back()
		}
		return err
	}
}

// ExecContext is sql.DB's.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, end := p.begin(ctx)
	r, err := p.db.ExecContext(ctx, query, args...)
	return r, end(err)
}

// QueryRowContext is sql.DB's. The caller must call Scan on the result.
func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *row {
	ctx, end := p.begin(ctx)
	return &row{p.db.QueryRowContext(ctx, query, args...), end}
}

// prepared is QueryRowContext with a prepared statement.
func (p *pool) prepared(ctx context.Context, query *sql.Stmt, args ...any) *row {
	ctx, end := p.begin(ctx)
	return &row{query.QueryRowContext(ctx, args...), end}
}

// QueryContext is sql.DB's. Its results are for collect.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*rows, error) {
	ctx, end := p.begin(ctx)
	r, err := p.db.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // By collect.
	if err != nil {
		return nil, end(err)
	}
	return &rows{r, end}, nil
}

// queryIn is QueryContext inside a transaction, which gives errors their kind itself.
func queryIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (*rows, error) {
	r, err := tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // By collect.
	return &rows{r, func(err error) error { return err }}, err
}

// row is a row that is still to be read.
type row struct {
	*sql.Row
	end func(error) error
}

// Scan is sql.Row's.
func (r *row) Scan(dest ...any) error { return r.end(r.Row.Scan(dest...)) }

// rows are rows that are still to be read.
type rows struct {
	*sql.Rows
	end func(error) error
}

// collect reads all rows before it returns, so that their connection is free again.
func collect[T any](rows *rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	all, err := read(rows.Rows, scan)
	return all, rows.end(err)
}

func read[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// tx runs f in a transaction that is rolled back if f returns an error, and
// runs it again if it lost a race with another transaction. f must use the
// transaction and the context that it is given only: there may be one
// connection, and waiting for another hangs.
func (p *pool) tx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	ctx, end := p.begin(ctx)
	err := p.try(ctx, f)
	for n := 1; n < tries && p.dialect.again(err) && pause(ctx, n); n++ {
		err = p.try(ctx, f)
	}
	return end(err)
}

// pause keeps those that met from meeting again. It reports false if ctx ends.
func pause(ctx context.Context, n int) bool {
	return wait(ctx, rand.N(time.Duration(n)*20*time.Millisecond))
}

// wait reports false if ctx ends before d is over.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (p *pool) try(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// health tells the log once when the database goes away, and once when it is back.
type health struct {
	log  *slog.Logger
	gone atomic.Bool
}

// away returns the message for callers. The cause is only logged: it names hosts and
// accounts, and a time limit of ours is not the caller's.
func (h *health) away(err error, told string) error {
	if !h.gone.Swap(true) {
		h.log.Error("database away", "error", err)
	}
	return gistdeal.Errorf(gistdeal.Temporary, "%s", told)
}

func (h *health) back() {
	if h.gone.Load() && h.gone.Swap(false) {
		h.log.Info("database back")
	}
}

// isAway reports whether the database did not answer when it was last asked.
func (p *pool) isAway() bool { return p.health != nil && p.health.gone.Load() }
