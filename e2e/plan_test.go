package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// plan is the output of `gistdeal plan --json`.
type plan struct {
	Backfill string `json:"backfill"`
	Users    []struct {
		Input   string `json:"input"`
		Login   string
		State   string
		Gists   int `json:"public_gists"`
		Created int `json:"deals_created"`
		All     int `json:"deals_all"`
		New     int `json:"deals_none"`
		Problem string
	}
	Deals  int
	GitHub int     `json:"github_requests"`
	Tokens int     `json:"pipedrive_tokens"`
	Sec    float64 `json:"seconds"`
	Sweep  struct {
		Users    int
		Batches  bool
		Interval float64 `json:"interval_seconds"`
		Points   int     `json:"points_per_hour"`
	}
	Days *int
}

func makePlan(t *testing.T, env map[string]string, args ...string) (pl plan) {
	t.Helper()
	status, out := launch(t, env, append([]string{"plan", "--json"}, args...)...).exit()
	if err := json.Unmarshal([]byte(out), &pl); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v:\n%s", status, err, out)
	}
	return pl
}

func TestAPlanCountsAndWritesNothing(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.DailyTokens = 1002 })
	s.MakeGists("Alice", 250)
	s.MakeGists("bob", 40)
	s.AddUser(sim.User{Login: "acme", Type: "Organization"})
	file := filepath.Join(t.TempDir(), "users.txt")
	text := "# our users\nhttps://github.com/alice, @ALICE\nnobody\tacme # no user\n../gists?\n"
	testenv.Must(t, os.WriteFile(file, []byte(text), 0o600))
	delete(env, "GISTDEAL_PIPEDRIVE_RATE") // The rate is that of the account.
	pl := makePlan(t, env, "bob", "--file", file)
	problems := map[string]string{"@ALICE": "twice", "nobody": "knows no such user", "acme": "organization", "../gists?": "cannot be a GitHub login"}
	for _, u := range pl.Users {
		if want := problems[u.Input]; want == "" && u.Problem != "" || !strings.Contains(u.Problem, want) {
			t.Errorf("%s: %q, want %q", u.Input, u.Problem, want)
		}
	}
	// 290 deals cost 1,450 tokens. 602 of the 1,002 tokens of a day are not
	// reserved, and 600 of them remain.
	if len(pl.Users) != 6 || pl.Deals != 290 || pl.Tokens != 1450 || pl.GitHub != 1+3+1+1 || pl.Sec != 30 || pl.Days == nil || *pl.Days != 3 {
		t.Errorf("%+v", pl)
	}
	if pl := makePlan(t, env, "bob", "--backfill=none"); pl.Deals != 0 || pl.Users[0].All != 40 {
		t.Errorf("with policy none: %+v", pl)
	}
	if files := contents(t, filepath.Dir(env["GISTDEAL_DATABASE_URL"])); len(files) > 0 {
		t.Errorf("files were created: %v", files)
	}
	for name := range s.Report().Requests {
		if strings.HasPrefix(name, "POST") {
			t.Errorf("the plan sent %s", name)
		}
	}
}

func TestAPlanLeavesOutExistingDealsWhileServeRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 5)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 5)
	s.MakeGists("alice", 2) // not scanned yet
	env["PIPEDRIVE_API_KEY"] = ""
	pl := makePlan(t, env, "https://gist.github.com/alice/1234")
	if u := pl.Users[0]; u.State != "active" || u.Gists != 7 || u.Created != 5 || u.All != 2 || u.New != 2 || pl.Days != nil {
		t.Errorf("%+v", pl)
	}
	status, out := launch(t, env, "plan", "alice", "nobody").exit()
	for _, want := range []string{"alice  active  7      5 ", "nobody  GitHub knows no such user", "2 requests, 10 tokens", "unknown"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("exit status %d, no %q:\n%s", status, want, out)
		}
	}
}

func TestAPlanNeedsNoKeyAndNoRate(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 100)
	delete(env, "GISTDEAL_PIPEDRIVE_RATE")
	delete(env, "PIPEDRIVE_API_KEY")
	if pl := makePlan(t, env, "alice"); pl.Deals != 100 || pl.Sec != 11 || pl.Days != nil {
		t.Errorf("%+v", pl)
	}
	wantRun(t, env, 0, "Time                  11 s at the allowed rate", "plan", "alice")
	env["PIPEDRIVE_API_KEY"], env["GISTDEAL_QUOTA_RESERVE"] = "secret-pipedrive", "99%"
	s.Set(func(o *sim.Options) { o.DailyTokens = 400 })
	wantRun(t, env, 0, "never: of today's 400 tokens 398 are left, 396 are reserved", "plan", "alice")
}

func TestAPlanStopsAtAGitHubLimit(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.GitHubLimit = 3 })
	var logins []string
	for _, login := range strings.Fields("a b c d e f g h i j k l m n o p q r s t") {
		s.AddUser(sim.User{Login: login})
		logins = append(logins, login)
	}
	planned := 0
	for _, u := range makePlan(t, env, logins...).Users {
		if u.Problem == "" {
			planned++
		} else if !strings.Contains(u.Problem, "requests that GitHub allows this hour are spent") {
			t.Errorf("%s: %q", u.Input, u.Problem)
		}
	}
	if refused := s.Report().Requests["GET /users/{login}"] - planned; planned != 3 || refused > 4 {
		t.Errorf("%d planned, %d refused requests", planned, refused)
	}
}

func TestAPlanWithoutLoginsIsRefused(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	for _, args := range [][]string{{"plan"}, {"plan", "a", "--backfill=some"}} {
		if status, out := launch(t, env, args...).exit(); status != 80 {
			t.Errorf("%v: exit status %d: %s", args, status, out)
		}
	}
	if status, out := launch(t, env, "plan", "--file=/no/such/file").exit(); status != 1 || !strings.Contains(out, "no such file") {
		t.Errorf("exit status %d: %s", status, out)
	}
	env["GISTDEAL_RESEND_AFTER"] = "soon"
	if status, out := launch(t, env, "plan", "a").exit(); status != 78 || !strings.Contains(out, `"soon" is not a duration`) {
		t.Errorf("exit status %d: %s", status, out)
	}
}

func TestAPlanTellsHowOftenAllUsersAreScanned(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 2)
	if p := makePlan(t, env, "alice").Sweep; p.Users != 1 || !p.Batches || p.Interval != 3*3600 || p.Points != 1 {
		t.Errorf("the sweeps are %+v, want those of one user", p)
	}
	status, out := launch(t, env, "plan", "alice").exit()
	if status != 0 || !strings.Contains(out, "1 user: every 3 h") || !strings.Contains(out, "1 points an hour, first pass done by ") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}
