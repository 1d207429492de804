package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gistdeal/internal/store"
)

// Replacement is a database that a backup replaces.
type Replacement struct {
	Database string `json:"database"`
	Backup   File   `json:"backup"`
	Kept     string `json:"kept,omitempty"` // where the former database is kept; "" if there is none
	Bytes    int64  `json:"bytes"`          // of the former database
	Migrates bool   `json:"migrates"`       // the backup is of an older version
}

// PlanRestore checks that the backup in the file can replace the database, and changes
// nothing.
func PlanRestore(ctx context.Context, database, file string, now time.Time) (r Replacement, err error) {
	if r.Database, err = filepath.Abs(database); err != nil {
		return r, err
	}
	if r.Backup.File, err = filepath.Abs(file); err != nil {
		return r, err
	}
	r.Backup.Database = r.Database
	schema, err := store.CheckRestore(ctx, database, file)
	if err != nil {
		return r, err
	}
	r.Migrates = !schema.Current()
	info, err := os.Stat(file)
	if err != nil {
		return r, err
	}
	r.Backup.Bytes = info.Size()
	info, err = os.Stat(database)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.Bytes = info.Size()
	r.Kept = fmt.Sprintf("%s.before-restore-%s", r.Database, now.UTC().Format("20060102T150405Z"))
	return r, nil
}

// Restore puts the backup in the database's place and keeps the former one. A backup of
// this version gets an entry in its audit log; an older one may have none.
func Restore(ctx context.Context, r Replacement) error {
	err := store.Restore(ctx, r.Database, r.Backup.File, r.Kept)
	if err != nil || r.Migrates {
		return err
	}
	db, err := store.Open(ctx, r.Database, store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.RecordRestore(ctx, r.Backup.File, time.Now()), db.Close())
}
