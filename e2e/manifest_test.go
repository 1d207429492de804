package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestUsersAndSettingsAreKeptInAFile(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3})
	for _, login := range []string{"alice", "bob", "carol"} {
		s.MakeGists(login, 1)
	}
	env["GISTDEAL_OWNER"] = "" // Not locked.
	start(t, env)
	file := filepath.Join(t.TempDir(), "gistdeal.yaml")
	write := func(text string) {
		t.Helper()
		testenv.Must(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("version: 1\nsettings: {daily_limit: 5}\nusers:\n- {login: alice, backfill: none}\n- {login: bob, backfill: none, paused: true}\n")
	wantRun(t, env, 2, "+  add  alice        backfill none\n+  add  bob          backfill none, paused\n", "apply", "-f", file, "--dry-run")
	wantRun(t, env, 2, `~  set  daily_limit  "0" -> "5"`, "apply", "-f", file, "--dry-run")
	wantRun(t, env, 2, "not as the file says: 3 differences", "apply", "-f", file, "--dry-run", "--json")
	wantRun(t, env, 80, "add --yes to do it", "apply", "-f", file)
	wantRun(t, env, 0, "paused", "apply", "-f", file, "--yes")
	wantRun(t, env, 0, "no differences", "apply", "-f", file, "--dry-run")
	wantRun(t, env, 0, "no differences", "apply", "-f", file)

	wantRun(t, env, 0, "added", "users", "add", "carol", "--backfill=all")
	wantRun(t, env, 0, "created  1", "scan", "carol")
	wantRun(t, env, 0, "no differences", "apply", "-f", file, "--dry-run")
	wantRun(t, env, 2, "-  remove  carol  the file does not name it", "apply", "-f", file, "--dry-run", "--prune")
	wantRun(t, env, 0, "", "export", "-o", file)
	wantRun(t, env, 0, "no differences", "apply", "-f", file, "--dry-run", "--prune")
	text, err := os.ReadFile(file)
	testenv.Must(t, err)
	write(strings.Replace(string(text), "login: carol\n  backfill: all", "login: carol\n  backfill: none", 1))
	wantRun(t, env, 2, "all -> none (stays: a user keeps its backfill after its first scan)", "apply", "-f", file, "--dry-run")
	wantRun(t, env, 1, "1 of 1 could not be done", "apply", "-f", file)
	if status, screen := atTerminal(t, env, "n", "apply --prune -f "+file); status != 1 || strings.Contains(screen, "[y/N]") {
		t.Errorf("with nothing that can be changed: exit status %d:\n%s", status, screen)
	}
	write("version: 1\nusers: []\n")
	wantAnswer(t, env, "n", 1, "remove  carol", "apply --prune -f "+file)
	wantAnswer(t, env, "y", 0, "removed", "apply --prune -f "+file)
	write("version: 1\nusers:\n- login: a\n  bakfill: all\n")
	wantRun(t, env, 1, file+": line 4: field bakfill not found", "apply", "-f", file)
}
