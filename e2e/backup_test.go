package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAServeOnABackupDuplicatesNothing(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 300)
	p := start(t, env)
	p.user("alice")
	testenv.Eventually(t, "some deals exist", func() bool { return s.Report().Deals >= 20 }, p.out)
	copied := filepath.Join(t.TempDir(), "copy.db")
	status, out := launch(t, env, "backup", copied).exit()
	if status != 0 || !strings.Contains(out, "To restore it") {
		t.Fatalf("exit status %d:\n%s", status, out)
	}
	if status, out := launch(t, env, "backup", copied).exit(); status != 1 || !strings.Contains(out, "already exists: name a new file") {
		t.Errorf("over an existing file: exit status %d:\n%s", status, out)
	}
	waitForDeals(t, p, "alice", 300)
	p.signal(syscall.SIGKILL)
	// The copy lacks most of the 300 deals.
	env["GISTDEAL_DATABASE_URL"] = copied
	p = start(t, env)
	waitForDeals(t, p, "alice", 300)
	wantDeals(t, s, 300)
}

func TestARestoreNeedsAnAnswerOrYesAndSaysTheNextStep(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	p := start(t, env)
	waitForDeals(t, p, "alice", 3)
	database, copied := env["GISTDEAL_DATABASE_URL"], filepath.Join(t.TempDir(), "copy.db")
	wantRun(t, env, 0, "gistdeal restore "+copied, "backup", copied)
	wantRun(t, env, 1, "a gistdeal runs on "+database, "restore", "--yes", copied)
	p.signal(syscall.SIGTERM)
	wantRun(t, env, 80, "add --yes to do it, or --dry-run", "restore", copied)
	wantRun(t, env, 0, "dry run: nothing is changed", "restore", "--dry-run", copied)
	wantAnswer(t, env, "n", 1, "in place of "+database, "restore "+copied)
	wantRun(t, env, 0, "The former database is "+database+".before-restore-", "restore", "--yes", copied)
	testenv.Must(t, os.Remove(database))
	wantRun(t, env, 0, "Tokens revoked or rotated since then have their old values", "restore", copied) // Nothing is lost, so it does not ask.
	p = start(t, env)
	waitForDeals(t, p, "alice", 3)
	wantDeals(t, s, 3)
}

func TestABackupIsPrintedAsJSON(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	if status, out := launch(t, env, "backup", "copy.db").exit(); status != 1 || !strings.Contains(out, "there is no database file") {
		t.Errorf("without a database: exit status %d:\n%s", status, out)
	}
	s.MakeGists("alice", 1)
	start(t, env)
	copied := filepath.Join(t.TempDir(), "copy.db")
	status, out := launch(t, env, "backup", "--json", copied).exit()
	var b struct {
		Database, File string
		Bytes          int64
	}
	if err := json.Unmarshal([]byte(out), &b); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v:\n%s", status, err, out)
	}
	info, err := os.Stat(copied)
	if err != nil || b.File != copied || b.Database != env["GISTDEAL_DATABASE_URL"] || b.Bytes != info.Size() {
		t.Errorf("%+v, %v", b, err)
	}
}
