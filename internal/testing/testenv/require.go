package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// RequireAll reports whether REQUIRE_ALL=1: then no test may be skipped because
// this machine lacks something.
func RequireAll() bool { return os.Getenv("REQUIRE_ALL") == "1" }

// SkipIf skips the test if err is not nil, or fails it if RequireAll. The error
// names the missing program.
func SkipIf(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case RequireAll():
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// Program returns the path of the first of the named programs that is
// installed. Without one the test is skipped, or fails if RequireAll.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil {
			return path
		}
		if !errors.Is(err, exec.ErrNotFound) {
			t.Fatal(err)
		}
	}
	SkipIf(t, fmt.Errorf("not installed: %s (scripts/packages.sh installs it)", strings.Join(names, " or ")))
	return ""
}
