package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// listenRetry is how long after a lost connection Listen connects again.
const listenRetry = time.Second

// Listen calls heard when an ask or an answer was written, by whatever process,
// until ctx ends. It is only faster than looking at the rows now and then, and
// takes no place of that: SQLite tells nothing, and PostgreSQL nothing while
// the connection is lost.
func (s *Store) Listen(ctx context.Context, heard func()) {
	if s.listener == nil {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		_ = s.listener.listen(ctx, heard) // That the database is away, others tell.
		wait(ctx, listenRetry)
	}
}

// listen does what Listen does until the connection is lost.
func (p *pool) listen(ctx context.Context, heard func()) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `LISTEN scan_requests`); err != nil {
		return err
	}
	heard() // What was written before this.
	return conn.Raw(func(driver any) error {
		for {
			if _, err := driver.(*stdlib.Conn).Conn().WaitForNotification(ctx); err != nil {
				return err
			}
			heard()
		}
	})
}
