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

// Store is the database. It is safe for concurrent use. An error of kind Temporary means
// that the database cannot be used now. The caller may try again, even if the change was
// made and only the reply was lost.
type Store struct {
	db       *pool // writes, and reads that decide about writes
	read     *pool // other reads; they never wait for a write
	view     *sql.Stmt
	lease    lease
	pushes   sequence
	before   Schema // before Open migrated it
	keys     keySource
	log      *slog.Logger
	file     string // of SQLite, its canonical path; "" for PostgreSQL
	requests int    // most pending scan requests; 0 means no limit
	// keepEntries is how long entries of the audit log are kept; 0 means for good.
	keepEntries time.Duration
	listener    *pool // one connection for Listen; nil if the database has no notifications
}

// readConnections is the number of connections for reads.
const readConnections = 4

// Options are the settings of a Store; the zero value works.
type Options struct {
	// PasswordFile is a file with the PostgreSQL password. Each new connection reads it.
	PasswordFile string
	// EraseKey is the HMAC key for the names of erased users. Without one, SQLite keeps a
	// key in a file beside the database, and PostgreSQL erases nobody.
	EraseKey string
	// MaxRequests is the number of pending scan requests above which new ones are refused;
	// 0 means no limit.
	MaxRequests int
	// KeepAuditLog is how long entries of the audit log are kept; 0 means for good.
	KeepAuditLog time.Duration
	Check        time.Duration // how long Open looks for damage in a SQLite file; 0 means not at all
	Lease        time.Duration // how long a PostgreSQL lease is valid without renewal; 0 means 12 s
	Log          *slog.Logger  // nil discards the log
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

// Open opens a database and migrates its schema. The database is a postgres:// URL or the
// path of a SQLite file, which Open creates if it does not exist. Errors contain advice, and
// never a password.
func Open(ctx context.Context, database string, o Options) (*Store, error) {
	o = o.orDefaults()
	if err := CheckName(database); err != nil {
		return nil, err
	}
	open := openSQLite
	if isPostgres(database) {
		open = openPostgres
	}
	s, err := open(ctx, database, o)
	if err != nil {
		return nil, err
	}
	s.requests, s.keepEntries = o.MaxRequests, o.KeepAuditLog
	if err := s.scrubAgain(ctx); err != nil {
		o.Log.Warn("erased text not removed", "error", err)
	}
	return s, nil
}

// prepare migrates the schema and prepares statements.
func (s *Store) prepare(ctx context.Context) (err error) {
	// Check on a read-only connection, so that the database of another program stays
	// unchanged.
	v, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	s.before = v
	if v.Version > v.Known {
		return v.Check("the database")
	}
	if !v.Current() { // A role that may not migrate can start on a migrated database.
		if err := s.migrate(ctx, schema); err != nil {
			return err
		}
	}
	s.view, err = s.read.db.PrepareContext(ctx, viewQuery)
	return err
}

// Before returns the schema of the database before Open migrated it to the known one.
func (s *Store) Before() Schema { return s.before }

// Close releases the lease and closes the database.
func (s *Store) Close() error {
	errs := []error{s.lease.close()}
	if s.view != nil { // nil in a read-only Store
		errs = append(errs, s.view.Close())
	}
	if s.listener != nil {
		errs = append(errs, s.listener.db.Close())
	}
	return errors.Join(append(errs, s.read.db.Close(), s.db.db.Close())...)
}

// Ping returns nil if the database can be read, and written if the last write failed.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.refused(); err != nil {
		return err
	}
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1 FROM counters WHERE name = 'gist_seq'`).Scan(&one); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if s.db.isDown() {
		return s.probeWrite(ctx)
	}
	return nil
}

// probeWrite reports whether the database can be written again. It writes and deletes more
// data than fits into the free pages of a file on a full disk.
func (s *Store) probeWrite(ctx context.Context) error {
	const name = "room"
	err := s.Set(ctx, name, strings.Repeat("x", 64<<10))
	if err == nil {
		_, err = s.db.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, name)
	}
	if err == nil {
		s.db.health.markUp()
	}
	return err
}

// tx runs f in a transaction for changes; see pool.tx.
func (s *Store) tx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	return s.db.tx(ctx, f)
}

// Atomic runs f in a transaction: all changes that f makes with its context are made
// together, or none if f returns an error. It runs f again if the transaction lost a race.
func (s *Store) Atomic(ctx context.Context, f func(context.Context) error) error {
	return s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return f(context.WithValue(ctx, txKey{s.db}, tx))
	})
}

// changed reports whether a conditional change affected one row.
func changed(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// millis returns the form of t in SQL: Unix milliseconds, 0 for the zero time.
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

// notFound turns sql.ErrNoRows into a NotFound error with the given text, and returns other
// errors unchanged.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return gistdeal.Errorf(gistdeal.NotFound, format, args...)
	}
	return err
}
