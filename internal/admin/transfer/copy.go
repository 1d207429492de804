package transfer

import (
	"context"
	"errors"

	"gistdeal"
	"gistdeal/internal/store"
)

// Copy copies every row of the SQLite database in the file from to the
// empty PostgreSQL database at the URL to, compares both, and returns the tables,
// which are equal, and the size of the new database. The password may be in a file. Both databases must have the
// schema of this version and no instance may run on them; the source stays as it is.
func Copy(ctx context.Context, from, to, passwordFile string, progress func(store.CopyStep)) (tables []store.CopiedTable, size int64, err error) {
	if !store.IsFile(from) || store.IsFile(to) {
		return nil, 0, gistdeal.Errorf(gistdeal.Invalid, "copy goes from a SQLite file to a postgres:// URL: `gistdeal copy gistdeal.db postgres://...`")
	}
	if err := errors.Join(store.CheckName(from), store.CheckName(to)); err != nil {
		return nil, 0, err
	}
	if !store.TakesPassword(to) {
		passwordFile = ""
	}
	if err := checkCurrent(ctx, from); err != nil {
		return nil, 0, err
	}
	source, err := store.Open(ctx, from, store.Options{})
	if err != nil {
		return nil, 0, err
	}
	target, err := store.Open(ctx, to, store.Options{PasswordFile: passwordFile})
	if err != nil {
		return nil, 0, errors.Join(err, source.Close())
	}
	if tables, err = store.Copy(ctx, source, target, progress); err == nil {
		size, err = target.Size(ctx)
	}
	return tables, size, errors.Join(err, source.Close(), target.Close())
}

// checkCurrent returns an error if opening the file for writing would create it
// or change its schema.
func checkCurrent(ctx context.Context, file string) error {
	db, err := store.OpenReadOnly(ctx, file, store.Options{})
	if err != nil {
		return err
	}
	schema, err := db.Schema(ctx)
	if err == nil {
		err = schema.Check(file)
	}
	return errors.Join(err, db.Close())
}
