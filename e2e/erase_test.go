package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAnErasedUserIsAddedAgainOnlyWithAFlag(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	s.MakeGists("alice", 2)
	p := start(t, env)
	p.get("/user/alice")
	testenv.Eventually(t, "both deals exist", func() bool { return s.Report().Deals == 2 }, p.out)
	wantRun(t, env, 0, "/deal/", "users", "erase", "alice", "--yes")
	wantRun(t, env, 1, "is unknown", "users", "erase", "alice", "--yes")
	if status, _ := p.get("/user/alice"); status == 200 {
		t.Error("showing an erased user tracks it again")
	}
	wantRun(t, env, 1, "erased", "users", "add", "alice")
	var added results
	if read(t, env, &added, "users", "add", "--again", "alice"); added.count("added") != 1 {
		t.Errorf("%+v, want alice added", added)
	}
	if _, body := p.get("/user/alice"); strings.Count(body, `"state":"created"`) != 2 || s.Report().Deals != 2 {
		t.Errorf("%d deals: %s", s.Report().Deals, body)
	}
}

func TestAGoneUserWhoseLoginWasTakenIsErasedByItsNumber(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	first := fmt.Sprintf("id:%d", s.AddUser(sim.User{Login: "alice"}))
	s.MakeGists("alice", 1)
	p := start(t, env)
	p.get("/user/alice")
	s.DeleteUser("alice")
	s.MakeGists("alice", 1)
	wantRun(t, env, 1, "not found on GitHub", "scan", "alice")
	wantRun(t, env, 0, "alice ("+first+")", "users", "list")
	wantRun(t, env, 0, "added", "users", "add", "alice")
	wantRun(t, env, 0, "removed", "users", "remove", first)
	wantRun(t, env, 0, "", "users", "erase", first, "--yes")
	wantRun(t, env, 1, "is not tracked", "users", "remove", first)
	wantRun(t, env, 0, "active", "users", "list", "--search", "alice")
}

func TestNoFileOfARunningGistdealContainsAnErasedUser(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	s.MakeGists("mallory-m", 120)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Times: 2})
	s.AddFault(sim.Fault{Match: "GET /user/", Kind: "truncate", Times: 1})
	p := start(t, env)
	p.get("/user/mallory-m")
	testenv.Eventually(t, "the deals exist", func() bool { return s.Report().Deals == 118 }, p.out)
	file := env["GISTDEAL_DATABASE_URL"]
	inFiles := func() (suffixes []string) {
		for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".erase-key"} {
			if text, err := os.ReadFile(file + suffix); err == nil && bytes.Contains(bytes.ToLower(text), []byte("mallory-m")) {
				suffixes = append(suffixes, suffix)
			}
		}
		return suffixes
	}
	if len(inFiles()) == 0 {
		t.Fatal("the files never contained the login")
	}
	wantRun(t, env, 0, "/deal/", "users", "erase", "mallory-m", "--yes")
	if suffixes := inFiles(); len(suffixes) > 0 {
		t.Errorf("the login is still in the files %q", suffixes)
	}
	// A process that starts without the key would track the person again by accident.
	p.signal(syscall.SIGTERM)
	testenv.Must(t, os.Rename(file+".erase-key", file+".away"))
	wantRun(t, env, 1, "put the file", "serve")
}
