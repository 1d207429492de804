package operate

import (
	"context"
	"path/filepath"

	"gistdeal/internal/app"
	"gistdeal/internal/store"
)

// Backup is a copy of the database that is whole and on the disk.
type Backup struct {
	Database string `json:"database"`
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
}

// MakeBackup copies the database to a new file, whoever works on it meanwhile.
func MakeBackup(ctx context.Context, c app.Config, file string) (Backup, error) {
	database := string(c.Database)
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
