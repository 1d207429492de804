package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// settingScrub is a setting that exists while deleted text may remain in the files.
const settingScrub = "scrub"

// Scrub removes the text of deleted rows from the files of the database, as far as the
// database can, and the copies that migrations keep. After an error, the next Open tries again.
func (s *Store) Scrub(ctx context.Context) error {
	// The pool's limits are for statements that take no time.
	err := s.db.dialect.scrub(ctx, s.db.db)
	if err == nil {
		err = s.deleteCopies("")
	}
	if err == nil {
		_, err = s.db.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, settingScrub)
	}
	if err != nil {
		return fmt.Errorf("text of deleted rows remains in the database files until the next start of gistdeal removes it: %w", err)
	}
	return nil
}

// scrubAgain makes up for a Scrub that failed.
func (s *Store) scrubAgain(ctx context.Context) error {
	due, err := s.Setting(ctx, settingScrub)
	if err != nil || due == "" {
		return err
	}
	return s.Scrub(ctx)
}

// scrubFile rewrites the file without free space, where SQLite leaves old versions of
// rows, and empties the write-ahead log.
func scrubFile(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, `VACUUM`); err != nil {
		return err
	}
	var busy bool
	var pages, copied int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &copied); err != nil {
		return err
	}
	if busy {
		return errors.New("another program reads the database, such as a backup")
	}
	return nil
}

// scrubTables removes the dead rows of the tables with text about users. PostgreSQL skips
// the tables of another role, with a warning instead of an error.
func scrubTables(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		pg := driver.(*stdlib.Conn).Conn().PgConn()
		delete(pg.CustomData(), lastWarning)
		if _, err := pg.Exec(ctx, `VACUUM users, gists, deals, deal_counts, attempts, amendments, visits, runs, scan_requests, operations, operation_items, idempotency_keys, audits, settings, audit_log, events, webhooks, deliveries`).ReadAll(); err != nil {
			return err
		}
		if text, ok := pg.CustomData()[lastWarning]; ok {
			return fmt.Errorf("start gistdeal as the owner of the tables, or run VACUUM as the owner (%s)", text)
		}
		return nil
	})
}

// lastWarning is the key of a connection's last warning in its custom data.
const lastWarning = "last warning"

func keepWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[lastWarning] = n.Message
	}
}
