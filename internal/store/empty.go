package store

import (
	"context"
	"errors"
)

// OpenEmpty returns an empty database in memory, for callers that read a database that
// does not exist yet. It creates no file and has no leader.
func OpenEmpty(ctx context.Context) (*Store, error) {
	// One connection, because each connection has its own database in memory.
	db, err := connect(":memory:", 1, "_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, read: db, lease: noLease{}}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// noLease is a lease that is free and cannot be taken.
type noLease struct{}

func (noLease) try(context.Context) (context.Context, error) { return nil, nil }
func (noLease) taken(context.Context) (bool, error)          { return false, nil }
func (noLease) release() error                               { return nil }
func (noLease) close() error                                 { return nil }
