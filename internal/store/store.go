package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gistdeal"
)

// Store is the database. Its methods may be called from many goroutines. An
// error of kind Temporary means that the database does not answer: trying
// again does no harm, even if the change was made and only the answer is lost.
type Store struct {
	db       *pool // writes, and reads that a decision hangs on
	read     *pool // for reads; never waits for a write
	view     *sql.Stmt
	lease    lease
	listener *pool // one connection, for Listen; nil if the database tells nothing
}

// readers is how many connections serve readers.
const readers = 4

// Options are the settings of a Store; the zero value works.
type Options struct {
	// PasswordFile names a file with PostgreSQL's password, read at each new connection.
	PasswordFile string
	Lease        time.Duration // how long PostgreSQL's lease outlives its holder; 0 means 12 s
	Log          *slog.Logger  // nil means none
}

func (o Options) orDefaults() Options {
	if o.Lease == 0 {
		o.Lease = 12 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Open opens a database and migrates its schema: PostgreSQL, if database is a postgres://
// URL, else the SQLite file of that path, which it creates if there is none. Errors
// contain advice and no password.
func Open(ctx context.Context, database string, o Options) (*Store, error) {
	o = o.orDefaults()
	if isPostgres(database) {
		return openPostgres(ctx, database, o)
	}
	return openSQLite(ctx, database, o)
}

// prepare completes Open after the connections exist.
func (s *Store) prepare(ctx context.Context) (err error) {
	// Through a read-only connection: the database of another program stays unchanged.
	if _, err := s.Schema(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, schema); err != nil {
		return err
	}
	s.view, err = s.read.db.PrepareContext(ctx, viewQuery)
	return err
}

// Close gives up the lease, if it is held, and closes the database.
func (s *Store) Close() error {
	errs := []error{s.lease.close()}
	if s.view != nil { // A Store that is opened read-only has none.
		errs = append(errs, s.view.Close())
	}
	if s.listener != nil {
		errs = append(errs, s.listener.db.Close())
	}
	return errors.Join(append(errs, s.read.db.Close(), s.db.db.Close())...)
}

// Ping returns nil if the database answers, and can be written as far as is known.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1 FROM counters WHERE name = 'gist_seq'`).Scan(&one); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if s.db.isAway() {
		return s.tryWriting(ctx)
	}
	return nil
}

// tryWriting finds out whether the database can be written again: it writes
// more than the gaps of a full disk take, and takes it away again.
func (s *Store) tryWriting(ctx context.Context) error {
	const name = "room"
	err := s.Set(ctx, name, strings.Repeat("x", 64<<10))
	if err == nil {
		_, err = s.db.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, name)
	}
	if err == nil {
		s.db.health.back()
	}
	return err
}

// tx runs f in a transaction for changes; see pool.tx.
func (s *Store) tx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return s.db.tx(ctx, f)
}

// changed reports whether a conditional change found its row.
func changed(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// millis is how times enter SQL; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// clean removes characters that PostgreSQL's text cannot contain.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "") }

// notFound gives sql.ErrNoRows the kind that the server maps to 404.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return gistdeal.Errorf(gistdeal.NotFound, format, args...)
	}
	return err
}
