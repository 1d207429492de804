package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gistdeal"
	"gistdeal/internal/store"
)

// CopiedTable is one table of a copy.
type CopiedTable = store.CopiedTable

// CopyDatabase copies every row of the SQLite database in the file from to the
// empty PostgreSQL database at the URL to, compares both, and calls each for
// every table that is equal. The password may be in a file. Both databases
// must be of this version and nobody may work on them; the source stays as it is.
func CopyDatabase(ctx context.Context, from, to, passwordFile string, each func(CopiedTable)) error {
	from = strings.TrimPrefix(from, "sqlite://")
	if !store.IsFile(from) || store.IsFile(to) {
		return gistdeal.Errorf(gistdeal.Invalid, "copy goes from a SQLite file to a postgres:// URL: `gistdeal copy gistdeal.db postgres://...`")
	}
	if err := store.CheckName(to); err != nil {
		return err
	}
	if !store.TakesPassword(to) {
		passwordFile = ""
	}
	if err := checkCurrent(ctx, from); err != nil {
		return err
	}
	source, err := store.Open(ctx, from, store.Options{})
	if err != nil {
		return err
	}
	target, err := store.Open(ctx, to, store.Options{PasswordFile: passwordFile})
	if err != nil {
		return errors.Join(err, source.Close())
	}
	return errors.Join(store.Copy(ctx, source, target, each), source.Close(), target.Close())
}

// checkCurrent returns an error if opening the file for writing would make it
// or change its schema.
func checkCurrent(ctx context.Context, file string) error {
	db, err := store.OpenReadOnly(ctx, file, store.Options{})
	if err != nil {
		return err
	}
	schema, err := db.Schema(ctx)
	if err == nil && !schema.Current() {
		err = fmt.Errorf("%q is of another version of gistdeal (schema %d, this one knows %d): run `gistdeal serve` of this version on it once", file, schema.Version, schema.Known)
	}
	return errors.Join(err, db.Close())
}
