package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/contract"
	"gistdeal/internal/testing/testenv"
)

func TestEachGistHasOneDealThroughKillsAndLostAnswers(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3, ListDelay: 300 * time.Millisecond})
	s.MakeGists("FewGists", 10)
	s.MakeGists("ManyGists", 300)
	s.AddUser(sim.User{Login: "NoGists"})
	for _, kind := range []string{"drop-after", "error-after", "hang-after", "drop-before"} {
		s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: kind, Share: 0.02, Times: 4})
	}
	p := start(t, env)
	if got := p.user("manygists"); len(got.New) != 300 || len(got.Old) != 0 {
		t.Fatalf("first answer: %d new and %d old, want 300 and 0", len(got.New), len(got.Old))
	}
	for _, login := range []string{"fewgists", "nogists"} {
		p.user(login)
	}
	for _, deals := range []int{20, 80, 160} {
		testenv.Eventually(t, "more deals exist", func() bool { return s.Report().Deals >= deals }, p.out)
		p.signal(syscall.SIGKILL)
		noSecret(t, p)
		p = start(t, env)
	}
	testenv.Eventually(t, "each gist has a deal", func() bool { return len(s.Report().WithoutDeal) == 0 }, p.out)
	testenv.Eventually(t, "each deal is recorded", func() bool {
		u := p.user("ManyGists")
		for _, g := range append(u.Old, u.New...) {
			if g.Deal.State != "created" {
				return false
			}
		}
		return len(u.New) == 0
	}, p.out)
	noDuplicates(t, s)
	if status := p.signal(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0\n%s", status, p.out)
	}
	noSecret(t, p)
}

func TestRecordedGitHubAnswersBecomeOneDealForEachPublicGist(t *testing.T) {
	t.Parallel()
	shared := contract.SharedDir(t)
	public := map[string]bool{}
	mux := http.NewServeMux()
	s := sim.New(sim.Options{Burst: -1})
	t.Cleanup(s.Close)
	mux.Handle("/", s) // Pipedrive
	for login, recording := range map[string]struct {
		id   int
		file string
	}{"defunkt": {2, "github-user-gists-2014.json"}, "own": {1, "github-own-gists-2014.json"}} {
		page := recordedList(t, filepath.Join(shared, "recordings", recording.file))
		// The real list of the token's owner includes secret gists.
		if login == "own" {
			page[0]["public"] = false
		}
		for _, g := range page {
			if owner, ok := g["owner"].(map[string]any); ok {
				owner["id"] = recording.id
			}
			public[g["id"].(string)] = g["public"].(bool)
		}
		mux.HandleFunc("/users/"+login, func(w http.ResponseWriter, _ *http.Request) {
			answer(t, w, map[string]any{"id": recording.id, "login": login, "type": "User"})
		})
		mux.HandleFunc("/users/"+login+"/gists", func(w http.ResponseWriter, _ *http.Request) { answer(t, w, page) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := start(t, environment(t, server.URL))
	shown := len(p.user("defunkt").New) + len(p.user("own").New)
	want := 0
	for _, isPublic := range public {
		if isPublic {
			want++
		}
	}
	if shown != want || want < 30 {
		t.Errorf("%d gists shown, want the %d public ones", shown, want)
	}
	testenv.Eventually(t, "all deals exist", func() bool { return s.Report().Deals >= want }, p.out)
	for id, deals := range s.Report().ByGist {
		if !public[id] || len(deals) != 1 {
			t.Errorf("gist %s (public: %v) has deals %v", id, public[id], deals)
		}
	}
}

// recordedList returns the first list of gists in a file of recorded answers.
func recordedList(t *testing.T, file string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	testenv.Must(t, err)
	var exchanges []struct {
		Response struct {
			Body json.RawMessage `json:"body"`
		} `json:"response"`
	}
	testenv.Must(t, json.Unmarshal(text, &exchanges))
	for _, e := range exchanges {
		var list []map[string]any
		if json.Unmarshal(e.Response.Body, &list) == nil && len(list) > 0 {
			return list
		}
	}
	t.Fatalf("no list of gists in %s", file)
	return nil
}

func answer(t *testing.T, w http.ResponseWriter, v any) {
	t.Helper()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		t.Error(err)
	}
}

func TestEachConfigurationMistakeIsExplained(t *testing.T) {
	t.Parallel()
	busy := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(busy.Close)
	notADatabase := filepath.Join(t.TempDir(), "notes.txt")
	testenv.Must(t, os.WriteFile(notADatabase, []byte(strings.Repeat("text ", 1000)), 0o600))
	for name, tt := range map[string]struct {
		change map[string]string
		status int
		want   []string
	}{
		"no key":            {map[string]string{"PIPEDRIVE_API_KEY": ""}, 78, []string{"PIPEDRIVE_API_KEY is not set", "gistdeal demo"}},
		"many mistakes":     {map[string]string{"GISTDEAL_RESEND_AFTER": "soon", "GISTDEAL_ADDR": "8050", "GISTDEAL_ABSENT": "1m", "GISTDEAL_BACKFILL": "new", "GISTDEAL_APPROVAL_THRESHOLD": "few", "GISTDEAL_VISIBILITY": "all"}, 78, []string{`"soon" is not a duration`, `"8050" is not an address`, "GISTDEAL_ABSENT is not a variable", `GISTDEAL_BACKFILL: backfill is "new", want all, none or a date`, `"few" is not a number`, `"all" is not one of owner, group, company`}},
		"times at odds":     {map[string]string{"GISTDEAL_PUSH_TIMEOUT": "3s"}, 78, []string{"must be less than"}},
		"port in use":       {map[string]string{"GISTDEAL_ADDR": strings.TrimPrefix(busy.URL, "http://")}, 1, []string{"is in use by another process"}},
		"not a database":    {map[string]string{"GISTDEAL_DATABASE_URL": notADatabase}, 1, []string{"is not a SQLite database"}},
		"no such folder":    {map[string]string{"GISTDEAL_DATABASE_URL": "/no/such/folder/x.db"}, 1, []string{"check that its directory exists"}},
		"no database":       {map[string]string{"GISTDEAL_DATABASE_URL": "postgres://me:secret-db@127.0.0.1:1/x"}, 1, []string{"postgres://me:xxxxx@127.0.0.1:1/x", "refused"}},
		"half a URL":        {map[string]string{"GISTDEAL_DATABASE_URL": "postgres://me:12#secret-db@host/x"}, 78, []string{"GISTDEAL_DATABASE_URL", "%23"}},
		"file and password": {map[string]string{"GISTDEAL_DATABASE_PASSWORD_FILE": notADatabase}, 78, []string{"GISTDEAL_DATABASE_PASSWORD_FILE", "keep one"}},
		"no such key file":  {map[string]string{"PIPEDRIVE_API_KEY": "", "PIPEDRIVE_API_KEY_FILE": "/no/such/file"}, 78, []string{"PIPEDRIVE_API_KEY_FILE", "no such file"}},
		"no such command":   {map[string]string{"args": "sevre"}, 80, []string{`unexpected argument sevre, did you mean "serve"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, busy.URL)
			var args []string
			for name, value := range tt.change {
				if name == "args" {
					args = append(args, value)
					continue
				}
				env[name] = value
			}
			p := launch(t, env, args...)
			status, out := p.exit()
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if strings.Contains(out, "goroutine ") {
				t.Errorf("the output contains a stack trace:\n%s", out)
			}
			noSecret(t, p)
		})
	}
}

func TestTheConfigurationIsPrintedWithoutSecrets(t *testing.T) {
	t.Parallel()
	env := environment(t, "http://127.0.0.1:1")
	env["GISTDEAL_DATABASE_URL"] = "postgres://me:secret-db@db.example:5432/x?password=secret-too"
	p := launch(t, env, "serve", "--check")
	status, out := p.exit()
	if status != 0 || !strings.Contains(out, "GISTDEAL_DATABASE_URL=postgres://me:xxxxx@db.example:5432/x\n") || !strings.Contains(out, "PIPEDRIVE_API_KEY=(set, hidden)") || !strings.Contains(out, "GISTDEAL_RESEND_AFTER=2s") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
	noSecret(t, p)
}

func TestARefusedKeyIsExplainedAndTheProgramKeepsRunning(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Token: "another"})
	s.MakeGists("alice", 3)
	p := start(t, env)
	if got := len(p.user("alice").New); got != 3 {
		t.Errorf("%d gists shown, want 3: a refused key does not affect readers", got)
	}
	testenv.Eventually(t, "/readyz names the reason", func() bool {
		status, body := p.get("/readyz")
		return status == http.StatusOK && strings.Contains(body, "set PIPEDRIVE_API_KEY")
	}, p.out)
	if got := s.Report().Deals; got != 0 {
		t.Errorf("%d deals with a refused key", got)
	}
	noSecret(t, p)
}

func TestWithoutAGitHubTokenTheStartLogsTheQuota(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	env["GITHUB_TOKEN"], env["GISTDEAL_FEED_INTERVAL"] = "", "0s"
	p := start(t, env)
	p.user("alice")
	const want = `"requests_an_hour":60,"reserved_interactive":10,"users_of_one_page":150,"scanned_every":"3h0m0s"`
	if !strings.Contains(p.out.String(), want) {
		t.Errorf("no %s in:\n%s", want, p.out)
	}
	if _, body := p.get("/metrics"); !strings.Contains(body, `gistdeal_github_requests_total{status="200"} 2`) {
		t.Errorf("the two requests to GitHub are not counted:\n%s", body)
	}
}

func TestASecondInstanceAnswersReadersAndAcceptsNewUsers(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 2)
	s.MakeGists("bob", 1)
	first := start(t, env)
	first.user("alice")
	second := start(t, env)
	if got := len(second.user("alice").Old); got != 2 {
		t.Errorf("the second instance shows %d old gists, want the 2 that the first one showed", got)
	}
	if status, body := second.get("/user/bob"); status != http.StatusOK || !strings.Contains(body, `"old_gists":[],"new_gists":[{`) {
		t.Errorf("a new user at the second instance: %d %s", status, body)
	}
	if status, body := second.get("/user/missing"); status != http.StatusNotFound {
		t.Errorf("an unknown user at the second instance: %d %s", status, body)
	}
	testenv.Eventually(t, "all deals exist", func() bool { return s.Report().Deals == 3 }, first.out)
	first.signal(syscall.SIGKILL)
	testenv.Eventually(t, "the second instance takes over", func() bool {
		_, body := second.get("/readyz")
		return strings.Contains(body, `"leader":true`)
	}, second.out)
	if got := s.Report().Requests["POST /api/v2/deals"]; got != 3 {
		t.Errorf("%d POSTs for 3 gists", got)
	}
}

func TestApprovalAndPauseStopDealsAndAreReported(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "2"
	p := start(t, env)
	for _, g := range p.user("alice").New {
		if g.Deal.State != "awaiting_approval" || !strings.Contains(g.Deal.Reason, "GISTDEAL_APPROVAL_THRESHOLD (2)") {
			t.Errorf("the deal is %+v, want it to await approval", g.Deal)
		}
	}
	// Another process on the database, like a command.
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	defer db.Close()
	if _, err := db.PausePushes(t.Context(), "quarter's end", time.Now()); err != nil {
		t.Fatal(err)
	}
	alice, err := db.UserByLogin(t.Context(), "alice")
	testenv.Must(t, err)
	if n, err := db.Approve(t.Context(), alice.ID, time.Now().Add(-time.Hour)); n != 3 || err != nil {
		t.Fatalf("%d deals approved, error %v; want 3", n, err)
	}
	if _, body := p.get("/readyz"); !strings.Contains(body, "paused by an operator since") || !strings.Contains(body, "quarter's end") {
		t.Errorf("/readyz shows %s", body)
	}
	_, metrics := p.get("/metrics")
	for _, want := range []string{
		"gistdeal_pushes_paused 1\n", "gistdeal_pipedrive_backoff 0\n", "gistdeal_deals{state=\"queued\"} 3\n", "gistdeal_deals{state=\"awaiting_approval\"} 0\n",
		"gistdeal_oldest_queued_seconds 36", "gistdeal_oldest_sending_seconds 0\n", "gistdeal_scan_lag_seconds 0\n", "gistdeal_scan_requests_pending 0\n",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q among the metrics", want)
		}
	}
	if _, err := db.ResumePushes(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "all deals exist", func() bool { return s.Report().Deals == 3 }, p.out)
}

func TestHealthcheckAndVersion(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	p := start(t, env)
	env["GISTDEAL_ADDR"] = strings.TrimPrefix(p.url, "http://")
	if status, out := launch(t, env, "healthcheck").exit(); status != 0 || !strings.Contains(out, "ready") {
		t.Errorf("healthcheck: %d %s", status, out)
	}
	p.signal(syscall.SIGTERM)
	if status, _ := launch(t, env, "healthcheck").exit(); status != 1 {
		t.Errorf("healthcheck without a server: exit status %d, want 1", status)
	}
	if status, out := launch(t, env, "version").exit(); status != 0 || !strings.HasPrefix(out, "gistdeal ") {
		t.Errorf("version: %d %s", status, out)
	}
}

func TestTheProgramHasNoFailPoints(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(binary)
	testenv.Must(t, err)
	if bytes.Contains(program, []byte("FAILPOINT")) {
		t.Error("the released program reads the variable FAILPOINT")
	}
}
