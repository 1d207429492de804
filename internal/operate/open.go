package operate

import (
	"context"
	"fmt"

	"gistdeal"
	"gistdeal/internal/app"
	"gistdeal/internal/desk"
)

// OpenDesk opens the database for a command that writes, and makes it if there
// is none. It does not change the schema under a gistdeal at work.
func OpenDesk(ctx context.Context, c app.Config) (*desk.Desk, error) {
	if err := refuseUpgrade(ctx, c); err != nil {
		return nil, err
	}
	db, err := c.OpenDatabase(ctx, nil)
	if err != nil {
		return nil, err
	}
	return desk.New(db), nil
}

// refuseUpgrade returns an error if opening the database would take the tables
// of an older gistdeal at work from under it.
func refuseUpgrade(ctx context.Context, c app.Config) error {
	db, err := c.ReadDatabase(ctx)
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
	if working, err := db.Worked(ctx); err != nil || !working {
		return err
	}
	return fmt.Errorf("the gistdeal at work on %s is of another version than this one: restart it first", c.Database)
}

// ReadDesk opens the database for a command that only reads. A database that
// does not exist yet reads as an empty one, and is not made.
func ReadDesk(ctx context.Context, c app.Config) (*desk.Desk, error) {
	db, err := openIfThere(ctx, c)
	return desk.New(db), err
}
