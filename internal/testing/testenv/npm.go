package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// errNoRegistry is the only reason to skip a test for which npm is installed.
var errNoRegistry = errors.New("the packages are not installed, and npm's registry cannot be reached")

// Node returns the path of Node. It installs the exact versions of a folder's
// package-lock.json into its node_modules, unless an earlier run has done so.
// Without Node, npm or a registry the test is skipped, or fails if RequireAll.
func Node(t testing.TB, folder string) string {
	t.Helper()
	node := Program(t, "node", "nodejs")
	Program(t, "npm")
	err := install(folder)
	if errors.Is(err, errNoRegistry) {
		SkipIf(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// installing is held while a folder is installed. The tests of one folder are in one
// package, so that no other process installs it.
var installing sync.Mutex

func install(folder string) error {
	installing.Lock()
	defer installing.Unlock()
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	// The copy is written last, so a folder without it is incomplete.
	installed := filepath.Join(folder, "node_modules", "installed.json")
	if done, err := os.ReadFile(installed); err == nil && bytes.Equal(done, lock) {
		return nil
	}
	if out, err := npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"); err != nil {
		if _, err := npm(folder, "view", "typescript", "version", "--fetch-retries=0"); err != nil {
			return errNoRegistry
		}
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(installed, lock, 0o644)
}

func npm(folder string, args ...string) (output []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "npm", args...)
	command.Dir = folder
	return command.CombinedOutput()
}
