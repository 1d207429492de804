package pgtest_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 2 {
		db := connect(t, pgtest.URL(t))
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE mine (id BIGINT)`); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFrozenServerAnswersAgainAfterAThaw(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := connect(t, s.URL(t))
	s.Freeze(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := db.PingContext(ctx); err == nil {
		t.Error("a frozen server answers")
	}
	s.Thaw(t)
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	s.Stop(t)
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a stopped server answers")
	}
	s.Go(t)
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAKilledTestLeavesNoServerBehind starts itself as a process that kills itself.
func TestAKilledTestLeavesNoServerBehind(t *testing.T) {
	if os.Getenv("PGTEST_VICTIM") != "" {
		pgtest.Start(t).Freeze(t)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	t.Parallel()
	pgtest.URL(t) // Skips without PostgreSQL.
	dir := t.TempDir()
	for path := dir; len(path) > len(os.TempDir()); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o777); err != nil { //nolint:gosec // The server's account creates a folder there.
			t.Fatal(err)
		}
	}
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledTestLeavesNoServerBehind$")
	victim.Env = append(os.Environ(), "PGTEST_VICTIM=1", "TMPDIR="+dir)
	if err := victim.Run(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended with %v, want killed", err)
	}
	testenv.Eventually(t, "the server's files are removed", func() bool {
		files, err := filepath.Glob(filepath.Join(dir, "pgtest-*"))
		testenv.Must(t, err)
		return len(files) == 0
	})
}

func connect(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
