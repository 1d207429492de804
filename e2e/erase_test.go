package e2e_test

import (
	"fmt"
	"strings"
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
