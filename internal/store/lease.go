package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gistdeal"
)

// lease makes one process the leader.
type lease interface {
	// try returns nil if another process holds the lease.
	try(ctx context.Context) (leading context.Context, err error)
	// taken reports whether any process holds the lease.
	taken(ctx context.Context) (bool, error)
	release() error
	close() error
}

// TryLease takes the lease, the right to talk to GitHub and Pipedrive. It returns a nil
// context if another process holds the lease. The context ends with ctx, or when the
// lease is lost, some time before another process can take it. The caller must call
// Release when its work has ended, even after it lost the lease.
func (s *Store) TryLease(ctx context.Context) (leading context.Context, err error) {
	return s.lease.try(ctx)
}

// Release gives the lease back. Another process can take it at once.
func (s *Store) Release() error { return s.lease.release() }

var (
	errNotRenewed = errors.New("the lease could not be renewed in time")
	errTaken      = errors.New("another process has taken the lease")
)

// rowLease is a row that its holder changes every few seconds. Another process takes the
// lease if the row has not changed for ttl on its own clock. So clocks may differ, and a
// frozen holder loses the lease.
//
// A holder gives up after two thirds of ttl without a renewal. It counts from the start of
// its last successful renewal, and the other process from the end of its read. So the
// holder always gives up first.
type rowLease struct {
	db    *pool // has its own connection, so that renewals do not wait for other queries
	owner string
	ttl   time.Duration
	now   func() time.Time

	seen  leaseRow  // the row as it was last read
	since time.Time // when seen was first read
	acked int64     // the highest counter that this process wrote and the database acknowledged
	stop  func()    // stops the renewals; nil while this process does not hold the lease
}

type leaseRow struct {
	owner   string
	counter int64
}

func newRowLease(db *pool, h *health, owner string, ttl time.Duration) *rowLease {
	db.watch(h, min(ttl/4, readLimit)) // Leaves time to try a renewal again.
	return &rowLease{db: db, owner: owner, ttl: ttl, now: time.Now}
}

func (l *rowLease) try(ctx context.Context) (leading context.Context, err error) {
	free, err := l.free(ctx)
	if err != nil || !free {
		return nil, err
	}
	begin := l.now()
	err = l.db.QueryRowContext(ctx, `UPDATE lease SET owner = $1, counter = counter + 1, renewed_at = clock_timestamp()
		WHERE name = 'work' AND owner = $2 AND counter = $3 RETURNING counter`, l.owner, l.seen.owner, l.seen.counter).Scan(&l.acked)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take the lease: %w", err)
	}
	return l.startRenewals(ctx, begin), nil
}

// free reports whether this process can take the lease: it was given back, this process
// held it before, or its holder has not renewed it for ttl.
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

// startRenewals starts the renewals of a lease that was taken after the time renewed.
func (l *rowLease) startRenewals(ctx context.Context, renewed time.Time) context.Context {
	leading, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lose(l.renewUntilLost(leading, renewed))
	}()
	l.stop = func() {
		lose(nil)
		<-ended
	}
	return leading
}

// renewUntilLost renews the lease until leading ends or the lease is lost. It returns the
// reason for the loss.
func (l *rowLease) renewUntilLost(leading context.Context, renewed time.Time) error {
	// Tick often, because timers stop while the machine is suspended.
	tick := time.NewTicker(l.ttl / 24)
	defer tick.Stop()
	for {
		select {
		case <-leading.Done():
			return nil
		case <-tick.C:
		}
		left := l.ttl*2/3 - l.elapsed(renewed)
		if left <= 0 {
			return errNotRenewed
		}
		if l.elapsed(renewed) < l.ttl/4 {
			continue
		}
		begin := l.now()
		err := l.renew(leading, left)
		if errors.Is(err, errTaken) || errors.Is(err, gistdeal.ErrCommitsLost) {
			return err
		}
		if err == nil {
			renewed = begin
		}
	}
}

// renew renews the lease. It returns errTaken if another process holds it, and
// gistdeal.ErrCommitsLost if the counter was not above the last acknowledged one. The counter may be
// higher than that: a renewal may succeed although its reply is lost.
func (l *rowLease) renew(leading context.Context, left time.Duration) error {
	ctx, cancel := context.WithTimeout(leading, left)
	defer cancel()
	var counter int64
	err := l.db.QueryRowContext(ctx, `UPDATE lease SET counter = counter + 1, renewed_at = clock_timestamp()
		WHERE name = 'work' AND owner = $1 RETURNING counter`, l.owner).Scan(&counter)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errTaken
	case err != nil:
		return err
	case counter <= l.acked:
		return gistdeal.ErrCommitsLost
	}
	l.acked = counter
	return nil
}

// elapsed returns the longer of the times since t on two clocks: the monotonic clock stops
// while the machine is suspended, and somebody may set the wall clock.
func (l *rowLease) elapsed(t time.Time) time.Duration {
	now := l.now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// taken uses the database's clock. Its result is only shown, and no decision depends on it.
func (l *rowLease) taken(ctx context.Context) (taken bool, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT owner <> '' AND renewed_at > clock_timestamp() - make_interval(secs => $1)
		FROM lease WHERE name = 'work'`, l.ttl.Seconds()).Scan(&taken)
	if err != nil {
		return false, fmt.Errorf("read the lease: %w", err)
	}
	return taken, nil
}

func (l *rowLease) release() error {
	if l.stop == nil {
		return nil
	}
	l.stop()
	l.stop = nil
	_, err := l.db.ExecContext(context.Background(), `UPDATE lease SET owner = '' WHERE name = 'work' AND owner = $1`, l.owner)
	if err != nil {
		return fmt.Errorf("release the lease: %w", err)
	}
	return nil
}

func (l *rowLease) close() error { return errors.Join(l.release(), l.db.db.Close()) }
