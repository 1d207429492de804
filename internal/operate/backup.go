package operate

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"gistdeal/internal/store"
)

// Backup is a copy of the database that is whole and on the disk.
type Backup struct {
	Database string `json:"database"`
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
}

// MakeBackup copies the database to a new file, whoever works on it meanwhile.
func MakeBackup(ctx context.Context, database, file string) (Backup, error) {
	if strings.HasPrefix(database, "postgres") {
		return Backup{}, errors.New("the database is in PostgreSQL: back it up with pg_dump, and restore it with pg_restore")
	}
	b := Backup{}
	var err error
	if b.Database, err = filepath.Abs(database); err != nil {
		return b, err
	}
	if b.File, err = filepath.Abs(file); err != nil {
		return b, err
	}
	b.Bytes, err = store.Backup(ctx, database, file)
	return b, err
}
