package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// workers is how many connections serve the engine. With those of the readers,
	// the lease's and the one that listens, an instance has eleven: a statement takes
	// a millisecond or two, and three instances fit into the smallest of databases.
	workers = 5
	// A database that does not answer keeps nobody waiting for longer.
	readLimit    = 3 * time.Second
	workLimit    = 15 * time.Second
	connectLimit = 5 * time.Second
	// A process that was frozen in the middle of a transaction keeps its locks no
	// longer than this.
	idleInTransaction = "10s"
)

var postgresDialect = dialect{
	schema:   "schema/postgres",
	migrated: `SELECT to_regclass('migrations') IS NOT NULL`,
	others:   `SELECT count(*) > 0 AND count(*) FILTER (WHERE tablename = 'migrations') = 0 FROM pg_tables WHERE schemaname = current_schema()`,
	away: func(err error) string {
		if away(err) {
			return unanswered
		}
		return ""
	},
	again:   lostRace,
	explain: func(address string, err error) error { return fmt.Errorf("database %s: %w", DisplayName(address), err) },
}

// openPostgres opens a PostgreSQL database by its URL.
func openPostgres(ctx context.Context, address string, o Options) (*Store, error) {
	open, err := connector(address, o)
	if err != nil {
		return nil, err
	}
	h := &health{log: o.Log}
	s := &Store{db: open(workers), read: open(readers), lease: newRowLease(open(1), h, rand.Text(), o.Lease), listener: open(1)}
	// Without a limit yet: another instance's migration may take its time.
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(postgresDialect.explain(address, err), s.Close())
	}
	s.db.watch(h, workLimit)
	s.read.watch(h, readLimit)
	return s, nil
}

// readPostgres opens a PostgreSQL database as it is, for reading only.
func readPostgres(address string, o Options) (*Store, error) {
	open, err := connector(address, o, "default_transaction_read_only", "on")
	if err != nil {
		return nil, err
	}
	db := open(readers)
	return &Store{db: db, read: db, lease: newRowLease(open(1), &health{log: o.Log}, "", o.Lease)}, nil
}

// connector returns a function that opens pools of so many connections to the database
// at a URL, with these run-time parameters.
func connector(address string, o Options, parameters ...string) (func(connections int) *pool, error) {
	config, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(parameters); i += 2 {
		config.RuntimeParams[parameters[i]] = parameters[i+1]
	}
	var options []stdlib.OptionOpenDB
	if o.PasswordFile != "" {
		options = append(options, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) (err error) {
			c.Password, err = readPassword(o.PasswordFile)
			return err
		}))
	}
	return func(connections int) *pool {
		return newPool(stdlib.OpenDB(*config, options...), connections, postgresDialect)
	}, nil
}

// readPassword returns the present content of the file: passwords change while gistdeal
// runs.
func readPassword(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("GISTDEAL_DATABASE_PASSWORD_FILE: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// isPostgres reports whether a database is named by a URL of PostgreSQL.
func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// IsFile reports whether a database is named by a path: it is SQLite's.
func IsFile(database string) bool { return !isPostgres(database) }

// CheckName returns an error, which holds no password, if database is a URL of
// PostgreSQL and has a mistake that can be seen without connecting.
func CheckName(database string) error {
	if !isPostgres(database) {
		return nil
	}
	_, err := parseAddress(database)
	return err
}

// TakesPassword reports whether database is a URL of PostgreSQL without a password.
func TakesPassword(database string) bool {
	if !isPostgres(database) {
		return false
	}
	u, err := splitAddress(database)
	if err != nil {
		return true // CheckName reports the mistake.
	}
	_, set := u.User.Password()
	return !set && !u.Query().Has("password")
}

// DisplayName returns a database's path or URL without its password.
func DisplayName(database string) string {
	if !isPostgres(database) {
		return database
	}
	u, err := splitAddress(database)
	if err != nil {
		return "(a URL with a mistake, hidden)"
	}
	u.RawQuery, u.ForceQuery = "", false // A password may be there too.
	return u.Redacted()
}

// splitAddress parses a URL of PostgreSQL strictly: with wrongly escaped characters,
// parsers disagree about the end of the password, and the host is shown.
func splitAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || strings.Count(address, "@") > 1 || strings.Contains(address, "@") != (u.User != nil) {
		return nil, errors.New("this is not the URL of a PostgreSQL database (want postgres://user:password@host:5432/database; in a password, write % @ : / ? # as %25 %40 %3A %2F %3F %23)")
	}
	return u, nil
}

// parseAddress returns how to connect to the database at a URL.
func parseAddress(address string) (*pgx.ConnConfig, error) {
	u, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(address)
	if err != nil {
		text := err.Error()
		if password, _ := u.User.Password(); password != "" {
			text = strings.ReplaceAll(text, password, "xxxxx")
		}
		return nil, errors.New(text) // The error itself holds the URL.
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectLimit
	}
	// Lost connections that nothing is asked of are noticed within a minute.
	c.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}).DialContext
	for name, value := range map[string]string{"application_name": "gistdeal", "idle_in_transaction_session_timeout": idleInTransaction} {
		if _, ok := c.RuntimeParams[name]; !ok {
			c.RuntimeParams[name] = value
		}
	}
	return c, nil
}

// away reports whether err says that the database does not answer, or not now.
func away(err error) bool {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pe.Code {
		case "25006", // read only: a standby, until it is promoted
			"25P03",                   // idle in a transaction for too long: this process was frozen
			"57P01", "57P02", "57P03": // stopping, crashed, starting
			return true
		}
		class := pe.Code[:2]
		return class == "08" || class == "28" || class == "53" // connection, log-in, resources
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	_, password := errors.AsType[*fs.PathError](err)
	return connecting || network || password || pgconn.SafeToRetry(err) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// lostRace reports whether err comes from two concurrent transactions: a second run of
// the same transaction sees the changes of the other.
func lostRace(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pe.Code {
	case "40001", "40P01", "23505", // serialization, deadlock, a key that somebody else was faster to insert
		"42P07", "42710": // a table, or its type, that somebody else was faster to make
		return true
	}
	return false
}
