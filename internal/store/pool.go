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
	"gistdeal/internal/loop"
	"gistdeal/internal/trace"
)

// dialect has the differences between SQLite and PostgreSQL.
type dialect struct {
	name     string // as OpenTelemetry calls the database
	schema   string // folder of its migrations
	migrated string // query: does the table migrations exist?
	foreign  string // query: are there other tables, but no table migrations?
	size     string // query: how many bytes has the database?
	// unavailable returns a message for callers if err means that the database cannot be
	// used now, else "".
	unavailable func(err error) string
	// damaged reports whether err means that the database file is damaged.
	damaged func(err error) bool
	// retryable reports whether the transaction lost a race and may succeed next time.
	retryable func(err error) bool
	// scrub removes the text of deleted rows.
	scrub func(context.Context, *sql.DB) error
	// explain adds the name of the database and advice to an error.
	explain func(database string, err error) error
}

// maxTries is the maximum number of tries of a transaction that loses races.
const maxTries = 10

// pool is a pool of connections. It has the methods of sql.DB that the store needs. Each
// call takes at most limit, including the wait for a connection, and returns an error of
// kind Temporary if the database cannot be used.
type pool struct {
	db      *sql.DB
	limit   time.Duration // 0 means none, as for a file
	dialect dialect
	health  *health // nil before watch
	// A successful query does not prove that the database is usable again; see probeWrite.
	needsProbe bool
	statements *statements // nil if the driver keeps prepared statements itself
}

const (
	noAnswer = "the database does not answer"
	diskFull = "the database disk is full"
)

// newPool returns a pool of up to so many connections. It keeps idle ones open, because
// connecting takes longer than a query.
func newPool(db *sql.DB, connections int, d dialect) *pool {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{db: db, dialect: d}
}

// watch sets the pool's limit and reports to h from now on. Before that, while the
// database is being opened, the pool returns errors unchanged.
func (p *pool) watch(h *health, limit time.Duration) { p.health, p.limit = h, limit }

// begin returns ctx with the pool's limit, and a function that ends the call: it takes
// the error of the call and returns it with its kind.
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
		case ctx.Err() != nil: // The caller gave up, which says nothing about the database.
		case err != nil && limited.Err() != nil:
			return p.health.markDown(err, noAnswer)
		case err != nil && p.dialect.damaged(err):
			return p.health.markDamaged(err)
		case err != nil && p.dialect.unavailable(err) != "":
			return p.health.markDown(err, p.dialect.unavailable(err))
		case !p.needsProbe:
			p.health.markUp()
		}
		return err
	}
}

// txKey is the key of a pool's open transaction in a context.
type txKey struct{ pool *pool }

// opened returns the transaction of Atomic in ctx, nil if there is none.
func (p *pool) opened(ctx context.Context) *sql.Tx {
	tx, _ := ctx.Value(txKey{p}).(*sql.Tx)
	return tx
}

// ExecContext is sql.DB's, and runs the statement again if it lost a race.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx := p.opened(ctx); tx != nil {
		return tx.ExecContext(ctx, query, args...)
	}
	if err := p.refused(); err != nil {
		return nil, err
	}
	ctx, end := p.begin(ctx)
	r, err := p.db.ExecContext(ctx, query, args...)
	for n := 1; n < maxTries && p.dialect.retryable(err) && backOff(ctx, n); n++ {
		r, err = p.db.ExecContext(ctx, query, args...)
	}
	return r, end(err)
}

// QueryRowContext is sql.DB's. The caller must call Scan on its result.
func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *row {
	if tx := p.opened(ctx); tx != nil {
		return &row{tx.QueryRowContext(ctx, query, args...), func(err error) error { return err }}
	}
	ctx, end := p.begin(ctx)
	if statement := p.statements.of(ctx, p.db, query); statement != nil { //nolint:sqlclosecheck // It ends with the pool.
		return &row{statement.QueryRowContext(ctx, args...), end}
	}
	return &row{p.db.QueryRowContext(ctx, query, args...), end}
}

// prepared is QueryRowContext with a prepared statement.
func (p *pool) prepared(ctx context.Context, query *sql.Stmt, args ...any) *row {
	ctx, end := p.begin(ctx)
	return &row{query.QueryRowContext(ctx, args...), end}
}

// QueryContext is sql.DB's. The caller must pass its results to collect.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*rows, error) {
	if tx := p.opened(ctx); tx != nil {
		return queryIn(ctx, tx, query, args...)
	}
	ctx, end := p.begin(ctx)
	r, err := p.query(ctx, query, args) //nolint:sqlclosecheck // By collect.
	if err != nil {
		return nil, end(err)
	}
	return &rows{r, end}, nil
}

func (p *pool) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if statement := p.statements.of(ctx, p.db, query); statement != nil { //nolint:sqlclosecheck // It ends with the pool.
		return statement.QueryContext(ctx, args...)
	}
	return p.db.QueryContext(ctx, query, args...)
}

// queryIn is QueryContext in a transaction. pool.tx gives the error its kind.
func queryIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (*rows, error) {
	r, err := tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // By collect.
	return &rows{r, func(err error) error { return err }}, err
}

// row is a row that is not read yet.
type row struct {
	*sql.Row
	end func(error) error
}

// Scan is sql.Row's.
func (r *row) Scan(dest ...any) error { return r.end(r.Row.Scan(dest...)) }

// rows are rows that are not read yet.
type rows struct {
	*sql.Rows
	end func(error) error
}

// collect reads all rows, so that their connection is free again. It takes the results of
// QueryContext.
func collect[T any](rows *rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	all, err := scanAll(rows.Rows, scan)
	return all, rows.end(err)
}

func scanAll[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, rows.Err()
}

// tx runs f in a transaction, and rolls it back if f returns an error. It runs f again if
// the transaction lost a race. f must use only the given context and transaction: the
// pool may have one connection, and waiting for a second one would hang.
func (p *pool) tx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	if tx := p.opened(ctx); tx != nil {
		return f(ctx, tx)
	}
	if err := p.refused(); err != nil {
		return err
	}
	ctx, span := trace.Within(ctx, trace.Client, "transaction", slog.String("db.system.name", p.dialect.name))
	ctx, end := p.begin(ctx)
	err := p.tryTx(ctx, f)
	for n := 1; n < maxTries && p.dialect.retryable(err) && backOff(ctx, n); n++ {
		err = p.tryTx(ctx, f)
	}
	err = end(err)
	span.End(err)
	return err
}

// backOff waits a random time before try n, so that two transactions do not collide again.
// It reports false if ctx ends first.
func backOff(ctx context.Context, n int) bool {
	return loop.Sleep(ctx, rand.N(time.Duration(n)*20*time.Millisecond))
}

func (p *pool) tryTx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// refused returns an error if the database is damaged. Nothing is written then: the record
// of an attempt could be lost in a damaged page, and gistdeal would create a duplicate deal.
func (p *pool) refused() error {
	if p.health == nil {
		return nil
	}
	return p.health.damage()
}

// health logs once when the database becomes unavailable, and once when it is back.
type health struct {
	log     *slog.Logger
	down    atomic.Bool
	damaged *atomic.Bool // for good; shared by all pools of a file
}

// unusable is an error of a database that cannot be used.
type unusable string

func (u unusable) Error() string { return string(u) }

// Is reports whether the target is gistdeal.ErrDatabase.
func (u unusable) Is(target error) bool { return target == gistdeal.ErrDatabase }

// markDown returns the message as an error. It logs err but does not wrap it: err names
// hosts and accounts, and callers must not mistake the pool's time limit for their own.
func (h *health) markDown(err error, message string) error {
	if !h.down.Swap(true) {
		h.log.Error("database unavailable", "error", err)
	}
	return &gistdeal.Error{Kind: gistdeal.Temporary, Err: unusable(message)}
}

// markDamaged is markDown for a file that stays damaged until somebody replaces it.
func (h *health) markDamaged(err error) error {
	if !h.damaged.Swap(true) {
		h.log.Error("database damaged", "error", err)
	}
	return h.damage()
}

// damage returns an error if the file is damaged.
func (h *health) damage() error {
	if h.damaged == nil || !h.damaged.Load() {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Temporary, Err: unusable("the database file is damaged: stop gistdeal and restore a backup")}
}

func (h *health) markUp() {
	if h.down.Load() && h.down.Swap(false) {
		h.log.Info("database available again")
	}
}

// isDown reports whether the database was unavailable at the last call.
func (p *pool) isDown() bool { return p.health != nil && p.health.down.Load() }
