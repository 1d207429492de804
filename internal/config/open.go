package config

import (
	"context"
	"errors"
	"fmt"

	"gistdeal"
	"gistdeal/internal/store"
)

// OpenDatabase opens the database for a command that writes. The error is NotFound if
// there is none. It refuses to migrate the schema of a database that is in use.
func (c Config) OpenDatabase(ctx context.Context) (*store.Store, error) {
	return c.open(ctx, false)
}

// CreateDatabase is OpenDatabase, but creates the database if there is none.
func (c Config) CreateDatabase(ctx context.Context) (*store.Store, error) {
	return c.open(ctx, true)
}

func (c Config) open(ctx context.Context, create bool) (*store.Store, error) {
	if err := c.checkUpgrade(ctx); err != nil && (!create || gistdeal.KindOf(err) != gistdeal.NotFound) {
		return nil, err
	}
	return store.Open(ctx, string(c.Database), c.StoreOptions(nil))
}

// checkUpgrade returns an error if opening the database would change the tables of an
// older gistdeal while it runs, or create all tables.
func (c Config) checkUpgrade(ctx context.Context) error {
	db, schema, err := c.existing(ctx)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // Nothing was written.
	if schema.Current() {
		return nil
	}
	if schema.Version > schema.Known {
		return schema.Check(c.Database.Place())
	}
	if leader, err := db.HasLeader(ctx); err != nil || !leader {
		return err
	}
	return fmt.Errorf("%w; it runs now, so this command changes nothing", schema.Check(c.Database.Place()))
}

// ReadDatabase opens the database for a command that only reads. The error is NotFound
// if there is none.
func (c Config) ReadDatabase(ctx context.Context) (*store.Store, error) {
	db, schema, err := c.existing(ctx)
	if err != nil {
		return nil, err
	}
	if err := schema.Check(c.Database.Place()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// existing opens a database with tables of gistdeal read-only.
func (c Config) existing(ctx context.Context) (*store.Store, store.Schema, error) {
	db, err := store.OpenReadOnly(ctx, string(c.Database), c.StoreOptions(nil))
	if err != nil {
		return nil, store.Schema{}, Missing(err)
	}
	schema, err := db.Schema(ctx)
	if err == nil && schema.Version == 0 {
		err = Missing(gistdeal.Errorf(gistdeal.NotFound, "the database %s is empty", c.Database.Place()))
	}
	if err != nil {
		return nil, schema, errors.Join(err, db.Close())
	}
	return db, schema, nil
}

// Missing adds the advice to a NotFound error of a database that is opened, and returns
// other errors unchanged.
func Missing(err error) error {
	if gistdeal.KindOf(err) != gistdeal.NotFound {
		return err
	}
	return fmt.Errorf("%w: set GISTDEAL_DATABASE_URL to the database of your gistdeal; `gistdeal serve` and `gistdeal users add` create a new one", err)
}
