package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// SharedDir returns the folder with the official API descriptions and recorded
// answers: $SHARED_DIR, or ../shared beside the checkout. Without the folder the
// test is skipped, or fails if REQUIRE_ALL=1. With SHARED_DIR=none it is always
// skipped.
func SharedDir(t testing.TB) string {
	t.Helper()
	dir, err := find()
	if err != nil {
		absent(t, err)
		t.Skip(err)
	}
	return dir
}

// absent fails the test if the folder is required.
func absent(t testing.TB, reason error) {
	t.Helper()
	if testenv.RequireAll() && os.Getenv("SHARED_DIR") != "none" {
		t.Fatal(reason)
	}
}

// find is a function of its own because Check works without the folder.
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
