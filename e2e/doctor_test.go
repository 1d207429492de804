package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// health is the output of `gistdeal doctor --json`.
type health struct {
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
	status int
	out    string
}

type check struct {
	Name, State, Message string
}

// examine runs the doctor.
func examine(t *testing.T, env map[string]string, args ...string) health {
	t.Helper()
	p := launch(t, env, append([]string{"doctor", "--json"}, args...)...)
	h := health{}
	h.status, h.out = p.exit()
	noSecret(t, p)
	if err := json.NewDecoder(strings.NewReader(h.out)).Decode(&h); err != nil {
		t.Fatalf("%v:\n%s", err, h.out)
	}
	if h.OK != (h.status == 0) {
		t.Errorf("ok is %v, the exit status %d", h.OK, h.status)
	}
	return h
}

// want fails the test unless the named check has the state and its message
// contains the text.
func (h health) want(t *testing.T, name, state, text string) {
	t.Helper()
	if !slices.ContainsFunc(h.Checks, func(c check) bool {
		return c.Name == name && c.State == state && strings.Contains(c.Message, text)
	}) {
		t.Errorf("no check %s with state %s and the text %q:\n%s", name, state, text, h.out)
	}
}

// except fails the test if a check that is not named is not ok.
func (h health) except(t *testing.T, names ...string) {
	t.Helper()
	for _, c := range h.Checks {
		if c.State != "ok" && !slices.Contains(names, c.Name) {
			t.Errorf("%s: %s: %s", c.Name, c.State, c.Message)
		}
	}
}

func TestTheDoctorReportsNothingWhileServeRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	env["GISTDEAL_ADDR"] = strings.TrimPrefix(p.url, "http://")
	h := examine(t, env)
	h.except(t)
	h.want(t, "leader", "ok", "a gistdeal instance is running")
	h.want(t, "address", "ok", "the gistdeal of this database at")
	h.want(t, "company", "ok", "as in the database")
	h.want(t, "deals", "ok", "3 created")
	h.want(t, "database", "ok", "is sound")
	h.want(t, "pipeline", "ok", "to the account's default")
	p.put("/api/v1/settings", `{"pipeline":"Gists","owner":"Ann Admin"}`)
	examine(t, env).want(t, "pipeline", "ok", `the first stage of "Gists", owned by "Ann Admin"`)
	status, out := launch(t, env, "doctor").exit()
	if status != 0 || strings.Count(out, "\n") != len(h.Checks) || !strings.HasPrefix(out, "ok  configuration ") {
		t.Errorf("text output: exit status %d:\n%s", status, out)
	}
}

func TestTheDoctorTellsAnotherDatabasesGistdealFromThisOne(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	p := start(t, env)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if status, out := launch(t, env, "backup", copied).exit(); status != 0 {
		t.Fatalf("exit status %d:\n%s", status, out)
	}
	env["GISTDEAL_ADDR"] = strings.TrimPrefix(p.url, "http://")
	examine(t, env).want(t, "address", "ok", "the gistdeal of this database")
	env["GISTDEAL_DATABASE_URL"] = copied
	examine(t, env).want(t, "address", "fail", "works on another database than "+copied)
}

func TestTheDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	examine(t, env).want(t, "database", "ok", "will be created at the first start")
	if files := contents(t, filepath.Dir(env["GISTDEAL_DATABASE_URL"])); len(files) > 0 {
		t.Errorf("files were created: %v", files)
	}
	if s.Report().Requests["POST /api/v2/dealFields"] > 0 {
		t.Error("fields were created")
	}
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	p.signal(syscall.SIGTERM)
	before, posts := contents(t, filepath.Dir(env["GISTDEAL_DATABASE_URL"])), s.Report().Requests["POST /api/v2/dealFields"]
	h := examine(t, env)
	h.want(t, "leader", "ok", "no gistdeal instance is running")
	after := contents(t, filepath.Dir(env["GISTDEAL_DATABASE_URL"]))
	for name, text := range before {
		if !bytes.Equal(after[name], text) {
			t.Errorf("%s was changed", name)
		}
	}
	if s.Report().Requests["POST /api/v2/dealFields"] != posts {
		t.Error("fields were created")
	}
}

// doctorFault is a fault and the check that must report it.
type doctorFault struct {
	world       func(*sim.Sim)
	env         string // NAME=value
	args        []string
	check       string
	state, text string
	beside      []string // other checks that are not ok because of the fault
}

// doctorFaults returns the faults by name. The file is not a database; another
// program listens on the address.
func doctorFaults(file, address string) map[string]doctorFault {
	set := func(change func(*sim.Options)) func(*sim.Sim) { return func(s *sim.Sim) { s.Set(change) } }
	late := func(d time.Duration) func(*sim.Sim) {
		return set(func(o *sim.Options) { o.Now = func() time.Time { return time.Now().Add(d) } })
	}
	fault := func(match, kind string) func(*sim.Sim) {
		return func(s *sim.Sim) { s.AddFault(sim.Fault{Match: match, Kind: kind}) }
	}
	none := func(*sim.Sim) {}
	pipedrive := []string{"company", "permissions", "fields", "pipeline", "pipedrive_quota"}
	return map[string]doctorFault{
		"wrong Pipedrive key":      {set(func(o *sim.Options) { o.Token = "x" }), "", nil, "pipedrive", "fail", "set PIPEDRIVE_API_KEY", pipedrive},
		"no Pipedrive key":         {none, "PIPEDRIVE_API_KEY=", nil, "configuration", "fail", "PIPEDRIVE_API_KEY is not set", append(pipedrive, "pipedrive")},
		"banned by Pipedrive":      {fault("GET /v1/users/me", "html403"), "", nil, "pipedrive", "fail", "banned this key or address", pipedrive},
		"banned by GitHub":         {fault("GET /user", "limit"), "", nil, "github", "fail", "stop other programs", []string{"github_quota"}},
		"wrong GitHub token":       {set(func(o *sim.Options) { o.GitHubToken = "x" }), "", nil, "github", "fail", "set GITHUB_TOKEN", []string{"github_quota"}},
		"no GitHub token":          {none, "GITHUB_TOKEN=", nil, "github", "warn", "60 requests an hour", nil},
		"GitHub token with scopes": {set(func(o *sim.Options) { o.TokenScopes = "repo, gist" }), "", nil, "github", "warn", "scopes repo, gist", nil},
		"GitHub's hour nearly over": {
			set(func(o *sim.Options) { o.GitHubLimit = 1 }), "", nil, "github_quota", "warn", "0 of 1 requests left", nil,
		},
		"unreachable Pipedrive":   {none, "PIPEDRIVE_API_URL=http://127.0.0.1:1", nil, "pipedrive", "fail", "connection refused", pipedrive},
		"unreachable GitHub":      {none, "GITHUB_API_URL=http://127.0.0.1:1", nil, "github", "fail", "connection refused", []string{"github_quota"}},
		"silent Pipedrive":        {fault("GET /v1/users/me", "hang-before"), "", []string{"--timeout=1s"}, "pipedrive", "fail", "does not answer within 1s", pipedrive},
		"redirecting Pipedrive":   {fault("GET /v1/users/me", "redirect"), "", nil, "pipedrive", "fail", "check PIPEDRIVE_API_URL", pipedrive},
		"redirecting GitHub":      {fault("GET /user", "redirect"), "", nil, "github", "fail", "check GITHUB_API_URL", []string{"github_quota"}},
		"wrong pipeline":          {none, "GISTDEAL_PIPELINE=Gifts", nil, "pipeline", "fail", `set GISTDEAL_PIPELINE to one of "Pipeline", "Gists"`, nil},
		"wrong stage":             {none, "GISTDEAL_STAGE=Won", nil, "pipeline", "fail", "set GISTDEAL_STAGE to one of", nil},
		"wrong owner":             {none, "GISTDEAL_OWNER=Leo Left", nil, "pipeline", "fail", "set GISTDEAL_OWNER to one of", nil},
		"another's deals":         {set(func(o *sim.Options) { o.Regular = true }), "GISTDEAL_OWNER=Ann Admin", nil, "pipeline", "fail", "may not see all deals", []string{"permissions", "fields"}},
		"no permission for deals": {set(func(o *sim.Options) { o.Cannot = []string{"can_add_deals"} }), "", nil, "permissions", "fail", "may not add deals", nil},
		"a regular user's key":    {set(func(o *sim.Options) { o.Regular = true }), "", nil, "fields", "fail", `an admin of Pipedrive has to create`, []string{"permissions"}},
		"two fields of one name":  {func(s *sim.Sim) { s.AddField("Gist ID", "varchar"); s.AddField("Gist ID", "varchar") }, "", nil, "fields", "warn", "is used, so delete or rename", nil},
		"field of no text":        {func(s *sim.Sim) { s.AddField("Gist ID", "double") }, "", nil, "fields", "fail", `of type "double"`, nil},
		"Pipedrive's day is over": {set(func(o *sim.Options) { o.DailyTokens = 45 }), "", nil, "pipedrive_quota", "warn", "of the day's 45 tokens 1 are left", nil},
		"clock two minutes off":   {late(2 * time.Minute), "", nil, "clock", "warn", "is NTP running?", nil},
		"clock ten minutes off":   {late(-10 * time.Minute), "", nil, "clock", "fail", "best by NTP", nil},
		"not a database":          {none, "GISTDEAL_DATABASE_URL=" + file, nil, "database", "fail", "not a SQLite database", []string{"leader", "deals", "company"}},
		"database is a folder":    {none, "GISTDEAL_DATABASE_URL=" + filepath.Dir(file), nil, "database", "fail", "name a file", []string{"leader", "deals", "company"}},
		"no such folder":          {none, "GISTDEAL_DATABASE_URL=/no/such/x.db", nil, "database", "fail", "make the folder", []string{"leader", "deals", "disk"}},
		"disk full":               {none, "", []string{"--min-free=1000000000000"}, "disk", "fail", "make room", nil},
		"address in use":          {none, "GISTDEAL_ADDR=" + address, nil, "address", "fail", "in use by another program", nil},
		"address of another host": {none, "GISTDEAL_ADDR=192.0.2.1:80", nil, "address", "fail", "set GISTDEAL_ADDR", nil},
		"mistaken variable":       {none, "GISTDEAL_ABSENT=1", nil, "configuration", "fail", "GISTDEAL_ABSENT is not a variable", nil},
		"mistaken duration":       {none, "GISTDEAL_RESEND_AFTER=soon", nil, "configuration", "fail", `"soon" is not a duration`, nil},
	}
}

func TestTheDoctorReportsEachFaultAndChecksTheRest(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	text := filepath.Join(t.TempDir(), "notes.txt")
	testenv.Must(t, os.WriteFile(text, bytes.Repeat([]byte("text "), 1000), 0o600))
	for name, tt := range doctorFaults(text, strings.TrimPrefix(other.URL, "http://")) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, env := simulate(t, sim.Options{})
			tt.world(s)
			if name, value, ok := strings.Cut(tt.env, "="); ok {
				env[name] = value
			}
			h := examine(t, env, tt.args...)
			h.want(t, tt.check, tt.state, tt.text)
			h.except(t, append(tt.beside, tt.check)...)
			if h.status != map[string]int{"warn": 0, "fail": 1}[tt.state] {
				t.Errorf("exit status %d:\n%s", h.status, h.out)
			}
		})
	}
}

func TestTheDoctorReportsAKeyOfAnotherCompany(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	p := start(t, env)
	testenv.Eventually(t, "the database has a company", func() bool { return s.Report().Requests["GET /api/v2/deals/archived"] > 0 }, p.out)
	p.signal(syscall.SIGTERM)
	s.Set(func(o *sim.Options) { o.CompanyID = 42 })
	h := examine(t, env)
	h.want(t, "company", "fail", "the database belongs to company 7654321")
	h.except(t, "company", "permissions", "fields", "pipeline", "pipedrive_quota")
	h.want(t, "fields", "skip", "skipped: needs company")
}

func TestTheDoctorReportsAReadOnlyDatabaseFolder(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	database := filepath.Join(t.TempDir(), "test.db")
	cmd := exec.Command(binary, "doctor")
	cmd.Dir = filepath.Dir(database)
	if os.Getuid() == 0 { // Permissions do not apply to root.
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		testenv.Must(t, os.Chmod(filepath.Dir(cmd.Dir), 0o755))
	}
	testenv.Must(t, os.Chmod(cmd.Dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(cmd.Dir, 0o700) }) // Otherwise it cannot be removed.
	env["GISTDEAL_DATABASE_URL"] = database
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "let this user write there") {
		t.Errorf("%v:\n%s", err, out)
	}
}
