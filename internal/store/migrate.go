package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed schema
var schema embed.FS

// migrate applies the numbered files of folder that the database does not have yet, each
// in its own transaction. There are no down migrations: to go back, restore a backup. A
// SQLite file is copied before; see keepCopy.
func (s *Store) migrate(ctx context.Context, folder fs.FS) error {
	files, err := fs.Glob(folder, s.db.dialect.schema+"/*.sql")
	if err != nil {
		return err
	}
	// The transaction is retried if it loses a race: several processes may start at once,
	// and PostgreSQL does not check and create a table in one step.
	if err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)`)
		return err
	}); err != nil {
		return err
	}
	var current int
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM migrations`).Scan(&current); err != nil {
		return err
	}
	if err := s.keepCopy(ctx, current, len(files)); err != nil {
		return err
	}
	for _, file := range files {
		version, err := strconv.Atoi(strings.SplitN(file[strings.LastIndexByte(file, '/')+1:], "_", 2)[0])
		if err != nil {
			return fmt.Errorf("migration %s has no number: %w", file, err)
		}
		text, err := fs.ReadFile(folder, file)
		if err != nil {
			return err
		}
		if err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return apply(ctx, tx, version, string(text)) }); err != nil {
			return fmt.Errorf("migration %s: %w", file, err)
		}
	}
	return nil
}

// apply runs one migration unless the database has it. It inserts the number first, which
// locks out other processes: several may start at once.
func apply(ctx context.Context, tx *sql.Tx, version int, text string) error {
	ok, err := changed(tx.ExecContext(ctx, `INSERT INTO migrations (version) VALUES ($1) ON CONFLICT DO NOTHING`, version))
	if err != nil || !ok {
		return err
	}
	_, err = tx.ExecContext(ctx, text)
	return err
}
