//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives the file to the owner of another one, if that exists: root restores for
// the user of a service.
func sameOwner(of, file string) error {
	info, err := os.Stat(of)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Getuid() != 0 {
		return nil
	}
	return os.Chown(file, int(owner.Uid), int(owner.Gid))
}
