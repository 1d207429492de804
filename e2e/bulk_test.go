package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// logins returns n logins of users without gists on the simulator.
func logins(s *sim.Sim, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("user%d", i)
		s.MakeGists(all[i], 0)
	}
	return all
}

// begin adds users by an operation and returns its id.
func (p *process) begin(users []string) string {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"users": users, "backfill": "none"})
	testenv.Must(p.t, err)
	resp, err := http.Post(p.url+"/api/v1/users", "application/json", strings.NewReader(string(body))) //nolint:noctx // The program is killed at the end of the test.
	testenv.Must(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testenv.Must(p.t, err)
	var op gistdeal.Operation
	if err := json.Unmarshal(text, &op); err != nil || resp.StatusCode != http.StatusAccepted {
		p.t.Fatalf("status %d, %v: %s", resp.StatusCode, err, text)
	}
	return op.ID
}

// operation returns the operation with that id.
func (p *process) operation(id string) (op gistdeal.Operation) {
	p.t.Helper()
	if status, body := p.get("/api/v1/operations/" + id); status != 200 || json.Unmarshal([]byte(body), &op) != nil {
		p.t.Fatalf("status %d: %s", status, body)
	}
	return op
}

func TestAnOperationGoesOnAfterItsProcessWasKilled(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(t *testing.T) string{
		"SQLite, restarted":                  func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "test.db") },
		"PostgreSQL, another instance leads": func(t *testing.T) string { t.Helper(); return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, env := simulate(t, sim.Options{Seed: 3})
			// After two of the five queries there is no answer until the process is killed.
			s.AddFault(sim.Fault{Match: "POST /graphql", Kind: "hang-before", After: 2})
			env["GISTDEAL_DATABASE_URL"], env["GISTDEAL_LEASE"] = database(t), "3s"
			first := start(t, env)
			var next *process
			if strings.HasPrefix(name, "Postgre") {
				next = start(t, env)
			}
			const users = 480 // five queries
			id := first.begin(logins(s, users))
			testenv.Eventually(t, "some users are added", func() bool { return first.operation(id).Done > 10 }, first.out)
			first.signal(syscall.SIGKILL)
			s.ClearFaults()
			if next == nil {
				next = start(t, env)
			}
			if op := next.operation(id); op.Done == users {
				t.Fatalf("the operation had ended before the kill: %+v", op)
			}
			testenv.Eventually(t, "the operation has ended", func() bool { return !next.operation(id).EndedAt.IsZero() }, next.out)
			// A user whose request was killed between its two writes is tracked already.
			op := next.operation(id)
			if op.Done != users || op.Problems != 0 || op.Results["added"]+op.Results["tracked"] != users || op.Results["tracked"] > 4 {
				t.Errorf("%+v, want %d users added once", op, users)
			}
			if _, body := next.get("/api/v1/users?limit=500"); strings.Count(body, `"login":`) != users {
				t.Errorf("%d users are tracked, want %d", strings.Count(body, `"login":`), users)
			}
		})
	}
}

func TestASingleUserIsNotBehindAnOperation(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3})
	s.AddFault(sim.Fault{Match: "POST /graphql", Kind: "hang-before", After: 1}) // The operation is not done before alice.
	p := start(t, env)
	id := p.begin(logins(s, 400))
	s.MakeGists("alice", 1)
	if got := p.user("alice"); len(got.Old)+len(got.New) != 1 {
		t.Errorf("%+v, want alice's gist", got)
	}
	if op := p.operation(id); op.Done == op.Total {
		t.Errorf("%+v: alice was behind it", op)
	}
}

func TestOperationsAreListedFollowedAndCanceledByCommands(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3})
	file := filepath.Join(t.TempDir(), "logins.csv")
	testenv.Must(t, os.WriteFile(file, []byte("company,login\nACME,"+strings.Join(append(logins(s, 105), "-bad-"), "\nACME,")), 0o600))
	// Without a server the operation waits, and may be canceled.
	wantRun(t, env, 0, "pending", "users", "add", "--file="+file, "--backfill=none")
	var list struct{ Operations []gistdeal.Operation }
	read(t, env, &list, "operations", "list")
	if len(list.Operations) != 1 || list.Operations[0].State != gistdeal.OperationQueued || list.Operations[0].Total != 106 {
		t.Fatalf("%+v, want the operation queued", list.Operations)
	}
	wantRun(t, env, 0, "105 canceled", "operations", "cancel", list.Operations[0].ID)
	wantRun(t, env, 1, "does not exist", "operations", "show", "unknown")
	start(t, env)
	status, out := run(t, env, "users", "add", "--file="+file, "--backfill=none")
	if status != 1 || !strings.Contains(out, "105 added") || !strings.Contains(out, "1 of 106 could not be done") {
		t.Errorf("exit status %d, want the results of an operation:\n%s", status, out)
	}
	if bad, first := strings.Index(out, "-bad-  "), strings.Index(out, "user0 "); bad < 0 || first < bad {
		t.Errorf("want the problem first:\n%.400s", out)
	}
}

func TestABulkOperationOnThePageOutlastsItsView(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3})
	s.AddFault(sim.Fault{Match: "POST /graphql", Kind: "hang-before", After: 1}) // The operation goes on until it is canceled.
	users := append([]string{"-bad-"}, logins(s, 400)...)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "add"), chromedp.WaitVisible(`input[value="all"]:checked`)) // The setting is the default.
	eval[any](t, ctx, fmt.Sprintf(`(() => { const text = document.querySelector('#logins'); text.value = %q; text.oninput(); })()`, strings.Join(users, "\n")))
	do(t, ctx, p,
		chromedp.Click(`input[value="none"]`),
		chromedp.Click("#add"),
		chromedp.WaitVisible("dialog[open]"))
	if got := text(t, ctx, "dialog"); !strings.Contains(got, "Add 401 users?") || !strings.Contains(got, "Their existing gists get no deal.") {
		t.Errorf("the question is %q", got)
	}
	do(t, ctx, p,
		chromedp.Click(`dialog[open] button[value="yes"]`),
		chromedp.WaitVisible(`#operation[data-state="running"] progress`),
		chromedp.WaitVisible(`tr[data-input="-bad-"][data-result="invalid"]:first-child`),
		open(p, "settings"), chromedp.WaitVisible("#settings, .options, #options"),
		open(p, "users"),
		chromedp.WaitVisible(`#operations li progress`),
		chromedp.Click(`#operations li h2 a`),
		chromedp.WaitVisible(`tr[data-result="added"]`),
		chromedp.Click(`[data-act="cancel"]`),
		chromedp.Click(`dialog[open] button[value="yes"]`),
		chromedp.WaitVisible(`#operation[data-state="canceled"]`),
		chromedp.WaitVisible(`tr[data-input="-bad-"]:first-child`))
	if got := text(t, ctx, "#operation"); !strings.Contains(got, "canceled") || !strings.Contains(got, "1 problem") {
		t.Errorf("the operation is shown as %q", got)
	}
	// Without the permission for the clipboard, a browser shows the text instead.
	click(t, ctx, `[data-act="copy-failed"]`)
	waitFor(t, ctx, `document.querySelector('#operation textarea') ? document.querySelector('#operation textarea').value === '-bad-' : document.querySelector('.toast')?.textContent === 'Copied'`)
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible("#users"), chromedp.WaitNotPresent("#operations li"))
	// It stays in the list of all operations.
	do(t, ctx, p, open(p, "activity"), chromedp.Click(`a[href="#/operations"]`), chromedp.Click(`li[data-operation] h2 a`), chromedp.WaitVisible(`#operation[data-state="canceled"]`))
}

func TestABulkChangeOfManyUsersIsFollowedOnThePage(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 3})
	p := start(t, env)
	id := p.begin(logins(s, 120))
	testenv.Eventually(t, "the users are added", func() bool { return !p.operation(id).EndedAt.IsZero() }, p.out)
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "users"), chromedp.WaitVisible(`tr[data-login] input`),
		chromedp.Click("thead input"),
		chromedp.Click(`[data-beyond="yes"]`),
		chromedp.Click(`[data-bulk="pause"]`),
		chromedp.Click(`dialog[open] button[value="yes"]`),
		chromedp.WaitVisible(`#operation[data-state="completed"]`))
	if got := text(t, ctx, "#operation"); !strings.Contains(got, "Pause users") || !strings.Contains(got, "120 paused") {
		t.Errorf("the operation is shown as %q", got)
	}
	if _, body := p.get("/api/v1/users?state=paused&limit=500"); strings.Count(body, `"login":`) != 120 {
		t.Errorf("%d users are paused, want 120", strings.Count(body, `"login":`))
	}
}
