package transfer

import (
	"context"
	"path/filepath"

	"gistdeal/internal/store"
)

// File is a complete copy of a database on the disk.
type File struct {
	Database string `json:"database"`
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
}

// Backup copies the database to a new file, also while gistdeal runs on it.
func Backup(ctx context.Context, database, file string) (File, error) {
	b := File{}
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
