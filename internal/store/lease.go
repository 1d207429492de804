package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lease is the right to work, as one of the databases keeps it.
type lease interface {
	try(ctx context.Context) (leading context.Context, err error)
	taken(ctx context.Context) (bool, error) // by any process
	release() error
	close() error
}

// TryLease takes the lease, the right to talk to GitHub and Pipedrive, if no other
// process has it. The returned context ends with ctx, and when the lease is lost, a
// while before another process can get it; it is nil if another process has the
// lease. The caller calls Release after the work has ended, also after a loss.
func (s *Store) TryLease(ctx context.Context) (leading context.Context, err error) {
	return s.lease.try(ctx)
}

// Release gives the right to work back: another process can get it at once.
func (s *Store) Release() error { return s.lease.release() }

var (
	errNotRenewed = errors.New("it could not be renewed in time")
	errTaken      = errors.New("another process has taken it")
)

// rowLease is a row that its holder changes every few seconds. Another process takes it
// once the row has not changed for ttl on that process's own clock. So clocks may
// differ, and a frozen holder loses the lease.
//
// A holder gives up after two thirds of ttl without a renewal. It counts from the
// begin of its last successful renewal, the other process from the end of its read,
// so the holder always gives up first.
type rowLease struct {
	db    *pool // one connection of its own: no renewal waits for other work
	owner string
	ttl   time.Duration
	now   func() time.Time

	seen  leaseRow  // as last read
	since time.Time // when it was first read like that
	end   func()    // ends the renewals; nil while the lease is not held
}

type leaseRow struct {
	owner   string
	counter int64
}

func newRowLease(db *pool, h *health, owner string, ttl time.Duration) *rowLease {
	db.watch(h, min(ttl/4, readLimit)) // A renewal can be tried again in time.
	return &rowLease{db: db, owner: owner, ttl: ttl, now: time.Now}
}

func (l *rowLease) try(ctx context.Context) (leading context.Context, err error) {
	free, err := l.free(ctx)
	if err != nil || !free {
		return nil, err
	}
	begin := l.now()
	took, err := changed(l.db.ExecContext(ctx, `UPDATE lease SET owner = $1, counter = counter + 1, renewed_at = clock_timestamp()
		WHERE name = 'work' AND owner = $2 AND counter = $3`, l.owner, l.seen.owner, l.seen.counter))
	if err != nil {
		return nil, fmt.Errorf("take the lease: %w", err)
	}
	if !took {
		return nil, nil
	}
	return l.hold(ctx, begin), nil
}

// free reports whether the lease can be taken: it was given back, or it is
// this process's from before, or its holder has not renewed it for too long.
func (l *rowLease) free(ctx context.Context) (bool, error) {
	var row leaseRow
	if err := l.db.QueryRowContext(ctx, `SELECT owner, counter FROM lease WHERE name = 'work'`).Scan(&row.owner, &row.counter); err != nil {
		return false, fmt.Errorf("read the lease: %w", err)
	}
	now := l.now()
	if row != l.seen || l.since.IsZero() {
		l.seen, l.since = row, now
	}
	return row.owner == "" || row.owner == l.owner || now.Sub(l.since) >= l.ttl, nil
}

// hold starts the renewals of a lease that was taken after renewed.
func (l *rowLease) hold(ctx context.Context, renewed time.Time) context.Context {
	leading, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lose(l.keep(leading, renewed))
	}()
	l.end = func() {
		lose(nil)
		<-ended
	}
	return leading
}

// keep renews the lease until held ends, or returns why it is lost.
func (l *rowLease) keep(leading context.Context, renewed time.Time) error {
	// Often, because a timer does not see that the machine was suspended.
	tick := time.NewTicker(l.ttl / 24)
	defer tick.Stop()
	for {
		select {
		case <-leading.Done():
			return nil
		case <-tick.C:
		}
		left := l.ttl*2/3 - l.passed(renewed)
		if left <= 0 {
			return errNotRenewed
		}
		if l.passed(renewed) < l.ttl/4 {
			continue
		}
		begin := l.now()
		kept, err := l.renew(leading, left)
		if err == nil && !kept {
			return errTaken
		}
		if err == nil {
			renewed = begin
		}
	}
}

// renew reports whether the lease is still this process's. Its counter is not
// asked for: a renewal may be done although its answer was lost.
func (l *rowLease) renew(leading context.Context, left time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(leading, left)
	defer cancel()
	return changed(l.db.ExecContext(ctx, `UPDATE lease SET counter = counter + 1, renewed_at = clock_timestamp() WHERE name = 'work' AND owner = $1`, l.owner))
}

// passed returns the time since t, the greater one of two clocks: the monotonic clock
// stops while a machine is suspended, and a person may set the wall clock.
func (l *rowLease) passed(t time.Time) time.Duration {
	now := l.now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// taken uses the database's clock; its answer is only for people.
func (l *rowLease) taken(ctx context.Context) (taken bool, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT owner <> '' AND renewed_at > clock_timestamp() - make_interval(secs => $1)
		FROM lease WHERE name = 'work'`, l.ttl.Seconds()).Scan(&taken)
	if err != nil {
		return false, fmt.Errorf("read the lease: %w", err)
	}
	return taken, nil
}

func (l *rowLease) release() error {
	if l.end == nil {
		return nil
	}
	l.end()
	l.end = nil
	_, err := l.db.ExecContext(context.Background(), `UPDATE lease SET owner = '' WHERE name = 'work' AND owner = $1`, l.owner)
	if err != nil {
		return fmt.Errorf("give back the lease: %w", err)
	}
	return nil
}

func (l *rowLease) close() error { return errors.Join(l.release(), l.db.db.Close()) }
