package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// SharedDir returns the folder with the official API descriptions and recorded
// answers: $SHARED_DIR, or ../shared beside the checkout. It skips the test
// where there is none, or fails it if REQUIRE_ALL=1; SHARED_DIR=none declines
// the folder, and then the test is skipped in any case.
func SharedDir(t testing.TB) string {
	t.Helper()
	dir, err := find()
	if err != nil {
		absent(t, err)
		t.Skip(err)
	}
	return dir
}

// absent fails the test if the folder was not to be missed.
func absent(t testing.TB, reason error) {
	t.Helper()
	if testenv.RequireAll() && os.Getenv("SHARED_DIR") != "none" {
		t.Fatal(reason)
	}
}

// find is apart from SharedDir because Check can do without the folder.
func find() (string, error) {
	dir := os.Getenv("SHARED_DIR")
	if dir == "none" {
		return "", fmt.Errorf("declined: SHARED_DIR=none, no official descriptions")
	}
	if dir == "" {
		root, err := testenv.Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "contracts")); err != nil {
		return "", fmt.Errorf("no official descriptions: %w", err)
	}
	return filepath.Abs(dir)
}
