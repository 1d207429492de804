package torture

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// schema is a PostgreSQL database on the harness's server.
type schema struct {
	server string // URL of another database of the server, for the superuser
	name   string

	mu sync.Mutex // is held while the database is read, copied or replaced
}

func (s *schema) url() string { return s.address(s.name) }

func (s *schema) address(name string) string {
	u, err := url.Parse(s.server)
	if err != nil {
		panic(err) // The harness created the URL.
	}
	u.Path = "/" + name
	return u.String()
}

func (s *schema) copied() string { return s.name + "_copy" }

func (s *schema) keep(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cut(ctx); err != nil {
		return err
	}
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+s.copied()+" WITH (FORCE)", "CREATE DATABASE "+s.copied()+" TEMPLATE "+s.name)
}

func (s *schema) lose(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exec(ctx, s.empty()...)
}

// empty returns the statements that replace the database by an empty one.
func (s *schema) empty() []string {
	return []string{"DROP DATABASE IF EXISTS " + s.name + " WITH (FORCE)", "CREATE DATABASE " + s.name}
}

func (s *schema) restore(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var there bool
	err := query(ctx, s.server, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, []any{s.copied()},
		func(r *sql.Rows) error { return r.Scan(&there) })
	if err != nil {
		return err
	}
	if !there {
		return s.exec(ctx, s.empty()...)
	}
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+s.name+" WITH (FORCE)", "CREATE DATABASE "+s.name+" TEMPLATE "+s.copied())
}

// rewind lets the database lose its last commits while programs use it, as after the
// promotion of a replica that was behind: it keeps a copy, and replaces the database by
// the copy after behind has returned. The database is away for the time away then. It
// replaces nothing, and returns an error, if a first start created tables meanwhile.
func (s *schema) rewind(ctx context.Context, behind func(context.Context), away time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := s.name + "_behind"
	if err := s.exec(ctx, s.closed("DROP DATABASE IF EXISTS "+copied, "CREATE DATABASE "+copied+" TEMPLATE "+s.name, "ALTER DATABASE "+s.name+" ALLOW_CONNECTIONS true")...); err != nil {
		return err
	}
	behind(ctx)
	ctx = context.WithoutCancel(ctx) // The program needs the database again.
	before, err := s.version(ctx, copied)
	after, err2 := s.version(ctx, s.name)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if before != after || before == 0 {
		return errors.New("the database has no tables to lose commits of")
	}
	err = s.exec(ctx, s.closed("DROP DATABASE "+s.name+" WITH (FORCE)")...)
	_ = wait(ctx, away)
	return errors.Join(err, s.exec(ctx, "ALTER DATABASE "+copied+" RENAME TO "+s.name))
}

// version returns the version of the tables of a database, 0 if it has none.
func (s *schema) version(ctx context.Context, name string) (version int, err error) {
	err = ignoreNoTable(query(ctx, s.address(name)+"&application_name="+ours, `SELECT coalesce(max(version), 0) FROM migrations`, nil,
		func(r *sql.Rows) error { return r.Scan(&version) }))
	return version, err
}

// closed returns statements before which the database accepts no connections and ends
// those that exist.
func (s *schema) closed(statements ...string) []string {
	return append([]string{
		"ALTER DATABASE " + s.name + " ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + s.name + "'",
	}, statements...)
}

// ours is the application name of the harness's connections.
const ours = "torture"

// cut ends the program's connections to the database, as an administrator or a
// network failure does.
func (s *schema) cut(ctx context.Context) error {
	return s.exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+s.name+"' AND application_name <> '"+ours+"'")
}

func (s *schema) exec(ctx context.Context, statements ...string) error {
	db, err := sql.Open("pgx", s.server)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) query(ctx context.Context, text string, args []any, each func(*sql.Rows) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ignoreNoTable(query(ctx, s.url()+"&application_name="+ours, text, args, each))
}

// ignoreNoTable returns err, or nil if the tables do not exist yet.
func ignoreNoTable(err error) error {
	const undefinedTable = "42P01"
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == undefinedTable {
		return nil
	}
	return err
}

func query(ctx context.Context, address, text string, args []any, each func(*sql.Rows) error) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
