package config

import (
	"context"
	"errors"
	"fmt"

	"gistdeal"
	"gistdeal/internal/store"
)

// OpenDatabase opens the database for a command that writes, and creates it if
// there is none. It refuses to migrate the schema of a database that is in use.
func (c Config) OpenDatabase(ctx context.Context) (*store.Store, error) {
	if err := c.refuseUpgrade(ctx); err != nil {
		return nil, err
	}
	return store.Open(ctx, string(c.Database), c.StoreOptions(nil))
}

// refuseUpgrade returns an error if opening the database would change the
// tables of an older gistdeal while it runs.
func (c Config) refuseUpgrade(ctx context.Context) error {
	db, err := store.OpenReadOnly(ctx, string(c.Database), c.StoreOptions(nil))
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // Nothing was written.
	schema, err := db.Schema(ctx)
	if err != nil || schema.Current() {
		return err
	}
	if leader, err := db.HasLeader(ctx); err != nil || !leader {
		return err
	}
	return fmt.Errorf("the gistdeal that runs on %s has another version than this one: restart it first", c.Database)
}

// ReadDatabase opens the database for a command that only reads. A database that
// does not exist yet reads as an empty one, and is not created.
func (c Config) ReadDatabase(ctx context.Context) (*store.Store, error) {
	db, err := store.OpenReadOnly(ctx, string(c.Database), c.StoreOptions(nil))
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		return store.OpenEmpty(ctx)
	}
	if err != nil {
		return nil, err
	}
	schema, err := db.Schema(ctx)
	switch {
	case err == nil && schema.Version == 0:
		if err := db.Close(); err != nil {
			return nil, err
		}
		return store.OpenEmpty(ctx)
	case err == nil && !schema.Current():
		err = errors.New("the database has the schema of another version of gistdeal: start this version once, or use that one")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
