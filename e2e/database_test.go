package e2e_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestACommandInTheWrongFolderFailsAndCreatesNoDatabase(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	place := env["GISTDEAL_DATABASE_URL"]
	for _, args := range []string{
		"users list", "users remove a", "users pause a", "users resume a", "users approve a", "users erase a --yes", "scan a",
		"deals list", "deals retry", "deals skip x", "deals explain x", "tokens add --name=me --scope=read", "tokens list", "tokens revoke me",
		"pause", "resume", "quota", "audit", "backup copy.db",
	} {
		status, out := run(t, env, strings.Fields(args)...)
		if status != 1 || !strings.Contains(out, `there is no database file "`+place+`"`) || !strings.Contains(out, "set GISTDEAL_DATABASE_URL") {
			t.Errorf("%s: exit status %d, want an error that names the file and the variable:\n%s", args, status, out)
		}
	}
	if files := contents(t, filepath.Dir(place)); len(files) > 0 {
		t.Errorf("the commands created files: %v", files)
	}
	wantRun(t, env, 0, "no database at "+place, "plan", "a")
	if files := contents(t, filepath.Dir(place)); len(files) > 0 {
		t.Errorf("plan created files: %v", files)
	}
}

func TestUsersAddCreatesTheDatabaseForTheNextServe(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 2)
	wantRun(t, env, 0, "no gistdeal instance is running", "users", "add", "alice")
	wantRun(t, env, 1, "not found", "users", "remove", "alice")
	wantRun(t, env, 1, "users add", "scan", "alice")
	wantRun(t, env, 0, "nothing was paused", "resume")
	wantRun(t, env, 0, "0 deals queued", "deals", "retry")
	wantRun(t, env, 1, "is unknown: it may be secret", "deals", "explain", "abc")
	p := start(t, env)
	testenv.Eventually(t, "the queued request is done", func() bool { _, body := p.get("/trackedusers"); return strings.Contains(body, "alice") }, p.out)
}

func TestACommandNamesItsDatabaseAndWhetherAnInstanceRunsOnIt(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	place := "database: " + env["GISTDEAL_DATABASE_URL"]
	p := start(t, env)
	wantRun(t, env, 0, place+"\n", "users", "list")
	wantRun(t, env, 0, place+" (a gistdeal is running on it)\n", "pause")
	p.signal(syscall.SIGTERM)
	wantRun(t, env, 0, place+" (no gistdeal is running on this database; the change takes effect when one starts)\n", "resume")
	if _, out := run(t, env, "resume", "--json"); !strings.HasPrefix(out, "{") {
		t.Errorf("--json prints more than JSON:\n%s", out)
	}
}

func TestAnUnknownSchemeOfADatabaseIsAnError(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mysql://me:secret-db@host/x", "sqlite://gistdeal.db", "http://host/x.db", "file:gistdeal.db", "POSTGRES://host/x"} {
		_, env := simulate(t, sim.Options{})
		env["GISTDEAL_DATABASE_URL"] = name
		for _, args := range [][]string{{"serve"}, {"users", "add", "alice"}, {"pause"}} {
			wantRun(t, env, 78, "name the path of a SQLite file, or a postgres:// URL", args...)
		}
		if status, out := run(t, env, "doctor"); status != 1 || !strings.Contains(out, "postgres:// URL") {
			t.Errorf("%s: doctor: exit status %d:\n%s", name, status, out)
		}
	}
}
