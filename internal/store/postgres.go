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
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// writeConnections is the number of connections for the engine. Together with
	// readConnections and those of the lease and the listener, an instance has eleven. They
	// suffice, because a statement takes a millisecond or two, and three instances fit into
	// the smallest database.
	writeConnections = 5
	// These limits end the wait for a database that does not answer.
	readLimit    = 3 * time.Second
	writeLimit   = 15 * time.Second
	connectLimit = 5 * time.Second
	// synchronousCommit is set for each session, because a database or a role may have it off.
	synchronousCommit = "synchronous_commit"
	// idleInTransaction limits how long a process that froze during a transaction keeps its
	// locks.
	idleInTransaction = "10s"
)

var postgresDialect = dialect{
	name:     "postgresql",
	schema:   "schema/postgres",
	migrated: `SELECT to_regclass('migrations') IS NOT NULL`,
	foreign:  `SELECT count(*) > 0 AND count(*) FILTER (WHERE tablename = 'migrations') = 0 FROM pg_tables WHERE schemaname = current_schema()`,
	size:     `SELECT pg_database_size(current_database())`,
	unavailable: func(err error) string {
		if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "53100" {
			return diskFull
		}
		if isUnavailable(err) {
			return noAnswer
		}
		return ""
	},
	damaged:   func(error) bool { return false }, // PostgreSQL's operator decides about it.
	retryable: lostRace,
	scrub:     scrubTables,
	explain:   explainConnection,
}

// openPostgres opens the PostgreSQL database at a URL.
func openPostgres(ctx context.Context, address string, o Options) (*Store, error) {
	open, err := connector(address, o)
	if err != nil {
		return nil, err
	}
	h := &health{log: o.Log}
	s := &Store{db: open(writeConnections), read: open(readConnections), lease: newRowLease(open(1), h, rand.Text(), o.Lease), listener: open(1), keys: keySource{configured: o.EraseKey}, log: o.Log}
	// The pools have no limit yet, because the migration of another instance may be slow.
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(postgresDialect.explain(address, err), s.Close())
	}
	s.db.watch(h, writeLimit)
	s.read.watch(h, readLimit)
	return s, nil
}

// readPostgres opens a PostgreSQL database read-only, without migrating it.
func readPostgres(address string, o Options) (*Store, error) {
	open, err := connector(address, o, "default_transaction_read_only", "on")
	if err != nil {
		return nil, err
	}
	db := open(readConnections)
	return &Store{db: db, read: db, lease: newRowLease(open(1), &health{log: o.Log}, "", o.Lease)}, nil
}

// connector returns a function that opens pools of connections to the database at a URL.
// The parameters are names and values of run-time parameters, in turn.
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

// readPassword returns the current content of the file. A password may change while
// gistdeal runs.
func readPassword(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("GISTDEAL_DATABASE_PASSWORD_FILE: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// isPostgres reports whether database is a PostgreSQL URL.
func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// IsFile reports whether database is the path of a SQLite file.
func IsFile(database string) bool { return !isPostgres(database) }

// CheckName returns an error if database is neither a path nor a valid PostgreSQL URL. It
// does not connect, and its errors contain no password.
func CheckName(database string) error {
	if isPostgres(database) {
		_, err := parseAddress(database)
		return err
	}
	// Two letters and more, because a path on Windows may begin with a drive.
	if scheme := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:`).FindString(database); scheme != "" {
		return fmt.Errorf("gistdeal has no database for %s URLs: name the path of a SQLite file, or a postgres:// URL (a file with a colon in its name is ./NAME)", scheme)
	}
	return nil
}

// TakesPassword reports whether database is a PostgreSQL URL without a password.
func TakesPassword(database string) bool {
	if !isPostgres(database) {
		return false
	}
	u, err := splitAddress(database)
	if err != nil {
		return true // CheckName reports the error.
	}
	_, set := u.User.Password()
	return !set && !u.Query().Has("password")
}

// DisplayName returns a database's path or URL without its password.
func DisplayName(database string) string {
	if !isPostgres(database) {
		if CheckName(database) != nil {
			return "(an invalid URL, hidden)"
		}
		return database
	}
	u, err := splitAddress(database)
	if err != nil {
		return "(an invalid URL, hidden)"
	}
	u.RawQuery, u.ForceQuery = "", false // The query may contain a password too.
	return u.Redacted()
}

// splitAddress parses a PostgreSQL URL strictly. If special characters are not escaped,
// parsers disagree about where the password ends, and DisplayName would show a part of it
// as the host.
func splitAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || strings.Count(address, "@") > 1 || strings.Contains(address, "@") != (u.User != nil) {
		return nil, errors.New("this is not a valid PostgreSQL URL (want postgres://user:password@host:5432/database; in a password, write % @ : / ? # as %25 %40 %3A %2F %3F %23)")
	}
	return u, nil
}

// parseAddress returns the connection settings for a URL. Its errors contain no password.
func parseAddress(address string) (*pgx.ConnConfig, error) {
	u, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(address)
	if err == nil {
		if address, err = requireTLS(address, u, c); err == nil {
			c, err = pgx.ParseConfig(address)
		}
	}
	if err != nil {
		text := err.Error()
		if password, _ := u.User.Password(); password != "" {
			text = strings.ReplaceAll(text, password, "xxxxx")
		}
		return nil, errors.New(text) // Not err, which contains the URL.
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectLimit
	}
	c.OnNotice = keepWarning
	// Keep-alives detect lost idle connections within a minute.
	c.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}).DialContext
	for name, value := range map[string]string{
		"application_name": "gistdeal", "idle_in_transaction_session_timeout": idleInTransaction, synchronousCommit: "on",
	} {
		if _, ok := c.RuntimeParams[name]; !ok {
			c.RuntimeParams[name] = value
		}
	}
	if c.RuntimeParams[synchronousCommit] == "off" {
		return nil, errors.New("synchronous_commit=off in the URL would lose deals when PostgreSQL crashes: remove it")
	}
	return c, nil
}

// isUnavailable reports whether err means that the database cannot be used now.
func isUnavailable(err error) bool {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return true // Also if the server refuses the connection: somebody maintains the database.
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pe.Code {
		case "25006", // read-only: a standby before its promotion
			"25P03",                   // idle in a transaction for too long: this process froze
			"57P01", "57P02", "57P03": // stopping, crashed, starting
			return true
		}
		class := pe.Code[:2]
		return class == "08" || class == "28" || class == "53" // connection, login, resources
	}
	_, network := errors.AsType[net.Error](err)
	_, password := errors.AsType[*fs.PathError](err)
	return network || password || pgconn.SafeToRetry(err) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// lostRace reports whether a transaction failed because of a concurrent one. Run again, it
// sees the changes of the other transaction.
func lostRace(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pe.Code {
	case "40001", "40P01", "23505", // serialization failure, deadlock, existing key
		"42P07", "42710": // existing table, existing type of a table
		return true
	}
	return false
}
