package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"gistdeal/internal/loop"
)

// listenRetry is the wait before Listen reconnects.
const listenRetry = time.Second

// Listen calls notify after any process writes a scan request or a result, until ctx ends.
// It only saves time. Callers must poll too, because SQLite sends no notifications, and
// PostgreSQL sends none while the connection is lost.
func (s *Store) Listen(ctx context.Context, notify func()) {
	if s.listener == nil {
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		_ = s.listener.listen(ctx, notify) // Other queries report that the database is down.
		loop.Sleep(ctx, listenRetry)
	}
}

// listen calls notify until the connection is lost.
func (p *pool) listen(ctx context.Context, notify func()) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `LISTEN scan_requests`); err != nil {
		return err
	}
	notify() // For rows that were written before LISTEN.
	return conn.Raw(func(driver any) error {
		for {
			if _, err := driver.(*stdlib.Conn).Conn().WaitForNotification(ctx); err != nil {
				return err
			}
			notify()
		}
	})
}
