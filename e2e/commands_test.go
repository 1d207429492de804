package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// run runs a command until it ends.
func run(t *testing.T, env map[string]string, args ...string) (status int, out string) {
	t.Helper()
	p := launch(t, env, args...)
	status, out = p.exit()
	noSecret(t, p)
	if strings.Contains(out, "goroutine ") {
		t.Errorf("%v: a stack trace:\n%s", args, out)
	}
	return status, out
}

// wantRun runs a command and checks its exit status and a part of its output.
func wantRun(t *testing.T, env map[string]string, want int, text string, args ...string) {
	t.Helper()
	if status, out := run(t, env, args...); status != want || !strings.Contains(out, text) {
		t.Errorf("%v: exit status %d, want %d and %q:\n%s", args, status, want, text, out)
	}
}

// read runs a command with --json and decodes its output.
func read(t *testing.T, env map[string]string, into any, args ...string) (status int) {
	t.Helper()
	status, out := run(t, env, append(args, "--json")...)
	if err := json.NewDecoder(strings.NewReader(out)).Decode(into); err != nil {
		t.Fatalf("%v: %v:\n%s", args, err, out)
	}
	return status
}

// results is the JSON output of commands for many users.
type results struct {
	Users []struct {
		Input          string `json:"input"`
		Result, Reason string
	}
}

func (r results) count(result string) (n int) {
	for _, u := range r.Users {
		if u.Result == result {
			n++
		}
	}
	return n
}

// listed is the JSON output of the list commands.
type listed struct {
	Users []struct {
		Login, State string
		Backfill     string
	}
	Deals []struct {
		GistID string `json:"gist_id"`
		State  string
		DealID int `json:"deal_id"`
	}
}

func TestManyUsersAreAddedFromAFileWhileAScanRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("giant", 700)
	p := start(t, env)
	s.AddFault(sim.Fault{Match: "GET /users", Kind: "latency", Latency: 5 * time.Millisecond})
	text := "# 70 users, some of them wrong\nacme\n"
	s.AddUser(sim.User{Login: "acme", Type: "Organization"})
	for i := range 60 {
		s.MakeGists(fmt.Sprintf("user%d", i), 1)
		text += fmt.Sprintf("https://github.com/user%d\n", i)
	}
	text += "missing1, missing2, missing3\nnot/a/login  b@d\nUSER7 @user8\ngiant # known already\nhttps://gitlab.com/user1\n"
	file := filepath.Join(t.TempDir(), "users.txt")
	testenv.Must(t, os.WriteFile(file, []byte(text), 0o600))
	wantRun(t, env, 0, "added", "users", "add", "giant", "--backfill=all")
	testenv.Eventually(t, "the scan has started", func() bool { return s.Report().Requests["GET /users/{login}/gists"] > 0 }, p.out)
	var r results
	if status := read(t, env, &r, "users", "add", "--file", file); status != 1 {
		t.Errorf("exit status %d, want 1 because of the invalid logins", status)
	}
	for result, want := range map[string]int{"added": 60, "tracked": 1, "not_found": 3, "invalid": 6} {
		if got := r.count(result); got != want {
			t.Errorf("%d are %s, want %d: %+v", got, result, want, r)
		}
	}
	for _, u := range r.Users {
		if want := map[string]string{"added": "a deal for each gist it has", "tracked": "already, a deal for each gist it has"}[u.Result]; !strings.Contains(u.Reason, want) {
			t.Errorf("%s is %s with the reason %q, want %q", u.Input, u.Result, u.Reason, want)
		}
	}
	var list listed
	read(t, env, &list, "users", "list", "--search=user")
	for _, u := range list.Users {
		if u.Backfill != "all" {
			t.Errorf("%s has the backfill %s, want the configured one", u.Login, u.Backfill)
		}
	}
	if len(list.Users) != 60 {
		t.Errorf("%d users are listed, want 60", len(list.Users))
	}
	waitForDeals(t, p, "giant", 700)
	testenv.Eventually(t, "each gist has a deal", func() bool { return s.Report().Deals == 760 }, p.out)
	noDuplicates(t, s)
}

func TestCommandsRefuseAFileThatIsNotADatabase(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	testenv.Must(t, os.WriteFile(env["GISTDEAL_DATABASE_URL"], []byte(strings.Repeat("text ", 1000)), 0o600))
	for _, args := range []string{
		"users list", "users add a", "users pause a", "scan a", "deals list", "deals retry", "deals skip x", "deals explain x",
		"pause", "resume", "plan a", "backup copy.db",
	} {
		wantRun(t, env, 1, "is not a SQLite database", strings.Fields(args)...)
	}
}

func TestDealsAreRetriedSkippedAndExplainedWhileServeRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "g1"}, {ID: "g2", Description: "\x1b[31mred\x07\ttab\u009b31m\u202eleft\u2028line"}, {ID: "g3"}}})
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid"})
	p := start(t, env)
	p.user("alice")
	failed := func() (list listed) {
		read(t, env, &list, "deals", "list", "--state=failed", "--user=ALICE")
		return list
	}
	testenv.Eventually(t, "three deals failed", func() bool { return len(failed().Deals) == 3 }, p.out)
	wantRun(t, env, 0, "refused", "deals", "explain", "https://gist.github.com/alice/g1")
	for _, args := range [][]string{{"deals", "list"}, {"deals", "list", "--json"}, {"deals", "explain", "g2"}, {"deals", "explain", "\u202eg2"}} {
		if _, out := run(t, env, args...); strings.ContainsAny(out, "\x1b\x07\t\u009b\u202e\u2028") || !strings.Contains(out, `\u202e`) {
			t.Errorf("%v: the output contains control characters: %q", args, out)
		}
	}
	s.ClearFaults()
	wantRun(t, env, 0, "g1  skipped\n1 deals skipped\n", "deals", "skip", "g1", "--reason=not ours")
	wantRun(t, env, 1, "is already skipped", "deals", "skip", "g1")
	wantRun(t, env, 0, "2 deals queued", "deals", "retry")
	testenv.Eventually(t, "two deals exist", func() bool { return s.Report().Deals == 2 }, p.out)
	wantRun(t, env, 1, "this gist is not known", "deals", "retry", "g1", "nope")
	waitForDeals(t, p, "alice", 3)
	wantRun(t, env, 1, "has its deal in Pipedrive", "deals", "retry", "g2")
	wantRun(t, env, 80, "name gists", "deals", "skip")
	wantRun(t, env, 80, "must be one of", "deals", "list", "--state=done")
	var history struct {
		State    string
		Attempts []struct{ Outcome string } `json:"attempts"`
	}
	read(t, env, &history, "deals", "explain", "g2")
	if history.State != "created" || len(history.Attempts) != 2 || history.Attempts[0].Outcome != "refused" || history.Attempts[1].Outcome != "created" {
		t.Errorf("%+v", history)
	}
}

func TestAScanIsFollowedToItsLastDeal(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	p := start(t, env)
	s.MakeGists("alice", 1)
	wantRun(t, env, 1, "users add", "scan", "alice")
	p.user("alice")
	s.MakeGists("alice", 120)
	var scan struct {
		Login string
		Deals map[string]int
	}
	if status := read(t, env, &scan, "scan", "https://github.com/ALICE"); status != 0 || scan.Deals["created"] != 121 || len(scan.Deals) != 1 {
		t.Errorf("exit status %d, %+v", status, scan)
	}
	wantRun(t, env, 0, "STATE    DEALS\ncreated  121\n", "scan", "alice")
	wantRun(t, env, 0, "paused", "users", "pause", "alice")
	wantRun(t, env, 1, "resume it first", "scan", "alice")
	wantRun(t, env, 0, "resumed", "users", "resume", "alice")
	wantRun(t, env, 0, "until `gistdeal resume`", "pause", "--reason=holiday")
	s.MakeGists("alice", 1)
	wantRun(t, env, 1, "holiday", "scan", "alice")
	wantRun(t, env, 0, "created again", "resume")
	waitForDeals(t, p, "alice", 122)
}

func TestCtrlCLeavesTheScanRequestQueued(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	p := start(t, env)
	s.MakeGists("alice", 3)
	s.AddFault(sim.Fault{Match: "GET /users/alice", Kind: "hang-before"})
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "limit"})
	add := launch(t, env, "users", "add", "alice", "--backfill=all")
	testenv.Eventually(t, "the request to GitHub hangs", func() bool { return s.Report().Requests["GET /users/{login}"] > 0 }, p.out)
	if status := add.signal(syscall.SIGINT); status != 0 || !strings.Contains(add.out.String(), "the request stays") {
		t.Errorf("exit status %d:\n%s", status, add.out)
	}
	p.signal(syscall.SIGKILL)
	s.ClearFaults()
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "limit"})
	p = start(t, env)
	testenv.Eventually(t, "alice is tracked", func() bool { _, body := p.get("/trackedusers"); return strings.Contains(body, "alice") }, p.out)
	scan := launch(t, env, "scan", "alice")
	testenv.Eventually(t, "deals wait", func() bool { return strings.Contains(scan.out.String(), "3 of 3 gists wait") }, scan.out, p.out)
	if status := scan.signal(syscall.SIGINT); status != 1 || !strings.Contains(scan.out.String(), "the request stays") {
		t.Errorf("exit status %d:\n%s", status, scan.out)
	}
	s.ClearFaults()
	waitForDeals(t, p, "alice", 3)
}

// atTerminal runs a command at a terminal, types the answer, and returns the
// exit status and everything shown on the screen.
func atTerminal(t *testing.T, env map[string]string, answer, command string) (status int, screen string) {
	t.Helper()
	cmd := exec.Command("script", "-qec", binary+" "+command, "/dev/null") // runs the command in a terminal
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader(answer+"\n")
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, _ := cmd.CombinedOutput() // Its outcome is in ProcessState.
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestAddingManyUsersAtATerminalNeedsConfirmation(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	for answer, want := range map[string]bool{"y": true, "": false, "n": false} {
		env["GISTDEAL_DATABASE_URL"] = filepath.Join(t.TempDir(), "test.db")
		status, screen := atTerminal(t, env, answer, "users add a b")
		asked := strings.Contains(screen, "Track 2 users with backfill all: a new user gets a deal for each gist it has.")
		if done := strings.Contains(screen, "waiting"); !asked || done != want {
			t.Errorf("answer %q: exit status %d:\n%s", answer, status, screen)
		}
	}
}

func TestWaitingCommandsReportTheLimitAndItsEnd(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 1)
	s.AddFault(sim.Fault{Match: "GET /users/alice", Kind: "limit", Times: 1, Header: map[string]string{"Retry-After": "4"}})
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "limit", Header: map[string]string{"Retry-After": "60"}})
	p := start(t, env)
	status, out := run(t, env, "users", "add", "alice")
	if status != 0 || strings.Count(out, "GitHub is in backoff: ") != 1 || !strings.Contains(out, "next try at 20") || !strings.Contains(out, "added") {
		t.Errorf("exit status %d, want one report of the limit and then alice added:\n%s", status, out)
	}
	scan := launch(t, env, "scan", "alice")
	testenv.Eventually(t, "the scan reports the refusal of Pipedrive", func() bool {
		return strings.Contains(scan.out.String(), "1 of 1 gists wait: Pipedrive is in backoff: ")
	}, scan.out, p.out)
	scan.signal(syscall.SIGINT)
}

func TestTheDemoReportsItsVersion(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"GISTDEAL_ADDR": "127.0.0.1:0", "GISTDEAL_LOG": "json"}, "demo")
	if status, body := p.get("/api/v1/me"); status != http.StatusOK || strings.Contains(body, `"version":""`) {
		t.Errorf("status %d: %s", status, body)
	}
}
