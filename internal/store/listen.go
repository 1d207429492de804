package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// listenRetry is how long after a lost connection Listen connects again.
const listenRetry = time.Second

// Listen calls heard after any process wrote a scan request or a result, until ctx
// ends. It only saves time: callers read the rows now and then anyway, because SQLite
// notifies nobody, and PostgreSQL nobody during a lost connection.
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

// listen calls heard until the connection is lost.
func (p *pool) listen(ctx context.Context, heard func()) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `LISTEN scan_requests`); err != nil {
		return err
	}
	heard() // For rows written before this.
	return conn.Raw(func(driver any) error {
		for {
			if _, err := driver.(*stdlib.Conn).Conn().WaitForNotification(ctx); err != nil {
				return err
			}
			heard()
		}
	})
}
