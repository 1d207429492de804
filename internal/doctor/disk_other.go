//go:build !linux && !darwin && !freebsd

package doctor

import (
	"errors"
	"os"
)

// freeSpace is not known on this system.
func freeSpace(string) (int64, error) { return 0, errors.New("not known on this system") }

// mayWrite returns nil if there is such a folder.
func mayWrite(dir string) error {
	_, err := os.Stat(dir)
	return err
}
