package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"
)

// Build builds a command of this module, "gistdeal/cmd/gistdeal" for example,
// into dir and returns the path of the program. It builds without the race
// detector, which would make SQLite thirty times slower.
func Build(ctx context.Context, dir, command string, flags ...string) (program string, err error) {
	program = filepath.Join(dir, path.Base(command))
	args := append([]string{"build", "-buildvcs=false", "-o", program}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, command)...)
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, out)
	}
	return program, nil
}

// Main makes a temporary folder, prepares it, runs the tests, and removes the
// folder. A TestMain exits with the status that Main returns.
func Main(m *testing.M, tempDir func() (string, error), prepare func(dir string) error) (status int) {
	dir, err := tempDir()
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Root returns the folder of this module. go test runs each package in its own
// folder, so Root looks upwards for go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the test's folder")
		}
		dir = parent
	}
}
