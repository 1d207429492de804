package transfer

import (
	"context"
	"errors"

	"gistdeal"
	"gistdeal/internal/store"
)

// Copy copies every row of the SQLite database in the file from to the
// empty PostgreSQL database at the URL to, compares both, and returns the tables,
// which are equal. The password may be in a file. Both databases must have the
// schema of this version and no instance may run on them; the source stays as it is.
func Copy(ctx context.Context, from, to, passwordFile string) (tables []store.CopiedTable, err error) {
	if !store.IsFile(from) || store.IsFile(to) {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "copy goes from a SQLite file to a postgres:// URL: `gistdeal copy gistdeal.db postgres://...`")
	}
	if err := errors.Join(store.CheckName(from), store.CheckName(to)); err != nil {
		return nil, err
	}
	if !store.TakesPassword(to) {
		passwordFile = ""
	}
	if err := checkCurrent(ctx, from); err != nil {
		return nil, err
	}
	source, err := store.Open(ctx, from, store.Options{})
	if err != nil {
		return nil, err
	}
	target, err := store.Open(ctx, to, store.Options{PasswordFile: passwordFile})
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	tables = []store.CopiedTable{}
	err = store.Copy(ctx, source, target, func(t store.CopiedTable) { tables = append(tables, t) })
	return tables, errors.Join(err, source.Close(), target.Close())
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
