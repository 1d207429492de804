package e2e_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	account "os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// recorded are commands that change something, in an order in which each does, with the
// entries that they leave.
var recorded = []struct{ command, arguments, actions string }{
	{"pause", "--reason holiday", "pushes.pause"},
	{"users add", "alice bob --backfill all", "user.add user.add"},
	{"scan", "alice", "user.scan"},
	{"users approve", "alice --yes", "deals.approve"},
	{"deals skip", "--user alice --reason old", "deals.skip"},
	{"deals retry", "--user alice --state skipped --yes", "deals.retry"},
	{"resume", "", "pushes.resume"},
	{"users tag", "alice bob --add vip", "user.tag user.tag"},
	{"rules apply", "-f RULES --yes", "rules.change"},
	{"rules again", "--yes", "rules.apply"},
	{"users pause", "alice bob", "user.pause user.pause"},
	{"users resume", "alice", "user.resume"},
	{"users remove", "alice", "user.remove"},
	{"users erase", "alice --yes", "user.erase"},
	{"users add", "alice --again", "user.allow_again user.add"},
	{"tokens add", "--name ci --scope read", "token.add"},
	{"tokens rotate", "ci", "token.rotate"},
	{"tokens revoke", "ci", "token.revoke"},
	{"webhooks add", "n8n RECEIVER/x", "webhook.add"},
	{"webhooks change", "n8n --type deal.created", "webhook.change"},
	{"webhooks redeliver", "n8n --first 1", "webhook.redeliver"},
	{"webhooks rotate", "n8n", "webhook.rotate"},
	{"webhooks disable", "n8n", "webhook.change"},
	{"webhooks enable", "n8n", "webhook.change"},
	{"webhooks test", "n8n", "webhook.test"},
	{"webhooks delete", "n8n", "webhook.delete"},
	{"people sign-out", "ann@example.com", "person.sign_out"},
	{"people forget", "ann@example.com", "person.forget"},
	{"audit", "", "audit.request"},
	{"apply", "-f FILE --yes", "setting.change user.pause user.add"},
	{"stop", "", ""}, // of the leader, so that requests wait
	{"users add", "carol", "user.add"},
	{"requests cancel", "carol", "request.cancel"},
	{"operations cancel", "waiting", "operation.cancel"},
	{"restore", "COPY --yes", "database.restore"},
}

// readers are commands that change nothing in the database of a running gistdeal.
var readers = []string{
	"serve", "users list", "requests list", "deals list", "deals explain", "tokens list", "people list", "quota", "audit-log", "events list", "events follow", "doctor", "plan", "export", "backup",
	"webhooks list", "webhooks deliveries", "operations list", "operations show", "rules list", "rules export", "rules test", "copy", "demo", "sim", "healthcheck", "completion", "version",
}

// entry is an entry in the JSON output of audit-log.
type entry struct {
	ID                                                            int64
	Actor, Source, Address, Action, Target, Before, After, Reason string
}

func auditLog(t *testing.T, env map[string]string, args ...string) []entry {
	t.Helper()
	var out struct{ Entries []entry }
	read(t, env, &out, append([]string{"audit-log", "--limit", "0"}, args...)...)
	slices.Reverse(out.Entries)
	return out.Entries
}

// addOperation adds an operation with the id waiting, for a leader that does not run.
func addOperation(t *testing.T, env map[string]string) {
	t.Helper()
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	o := gistdeal.Operation{ID: "waiting", Kind: gistdeal.OperationAddUsers, CreatedAt: time.Now()}
	testenv.Must(t, db.AddOperation(t.Context(), o, []gistdeal.OperationItem{{N: 1, Input: "dave", Key: "dave"}}))
	testenv.Must(t, db.Close())
}

func TestEachCommandThatChangesSomethingLeavesItsEntry(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 1})
	s.MakeGists("alice", 3)
	s.MakeGists("bob", 2)
	s.MakeGists("dora", 1)
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "2"
	env["GISTDEAL_WEBHOOK_PRIVATE"] = "true"
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	auditedLately(t, env)
	p := start(t, env)
	me, err := account.Current()
	testenv.Must(t, err)
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	_, err = db.SignedIn(t.Context(), gistdeal.Person{Issuer: "https://login.example", Subject: "7", Name: "ann@example.com"}, time.Now())
	testenv.Must(t, errors.Join(err, db.Close()))
	last := len(auditLog(t, env))
	for _, r := range recorded {
		if r.command == "stop" {
			p.signal(syscall.SIGTERM)
			addOperation(t, env)
			last = len(auditLog(t, env))
			continue
		}
		arguments := strings.ReplaceAll(r.arguments, "RECEIVER", receiver.URL)
		if strings.Contains(arguments, "FILE") {
			file := filepath.Join(t.TempDir(), "manifest.yaml")
			testenv.Must(t, os.WriteFile(file, []byte("version: 1\nsettings: {daily_limit: 9}\nusers:\n- {login: alice, paused: true}\n- {login: dora}\n"), 0o600))
			arguments = strings.ReplaceAll(arguments, "FILE", file)
		}
		if strings.Contains(arguments, "RULES") {
			file := filepath.Join(t.TempDir(), "rules.yaml")
			testenv.Must(t, os.WriteFile(file, []byte("rules:\n- {name: forks, action: skip, all: [{fact: fork}]}\n"), 0o600))
			arguments = strings.ReplaceAll(arguments, "RULES", file)
		}
		if strings.Contains(arguments, "COPY") {
			copied := filepath.Join(t.TempDir(), "copy.db")
			wantRun(t, env, 0, copied, "backup", copied)
			arguments = strings.ReplaceAll(arguments, "COPY", copied)
		}
		status, out := run(t, env, strings.Fields(r.command+" "+arguments)...)
		if status != 0 {
			t.Errorf("%s %s: exit status %d:\n%s", r.command, r.arguments, status, out)
		}
		all := auditLog(t, env)
		var actions []string
		for _, e := range all[last:] {
			actions = append(actions, e.Action)
			if e.Actor != me.Username || e.Source != "command" {
				t.Errorf("%s: the actor is %q by %s, want %s", r.command, e.Actor, e.Source, me.Username)
			}
		}
		last = len(all)
		if got := strings.Join(actions, " "); got != r.actions {
			t.Errorf("%s %s left the entries %q, want %q:\n%s", r.command, r.arguments, got, r.actions, out)
		}
	}
	if got := auditLog(t, env, "--target", "ALICE", "--since", "7d"); len(got) != 3 {
		t.Errorf("%+v, want of alice only what came after her erasure", got)
	}
	wantRun(t, env, 0, ",pushes.pause,,,,holiday,", "audit-log", "--csv")
	wantRun(t, env, 0, "holiday", "audit-log", "--action", string(gistdeal.ActionPausePushes))
}

func TestOfEachCommandItIsKnownWhetherItLeavesAnEntry(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/cli.md")
	testenv.Must(t, err)
	for _, heading := range regexp.MustCompile(`(?m)^## gistdeal (.*)$`).FindAllSubmatch(manual, -1) {
		command := string(heading[1])
		changes := slices.ContainsFunc(recorded, func(r struct{ command, arguments, actions string }) bool { return r.command == command })
		if changes == slices.Contains(readers, command) {
			t.Errorf("%s: add it either to recorded or to readers", command)
		}
	}
}

func TestAChangedAdminTokenIsRecordedAsAChangeOfTheConfiguration(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 1})
	for _, token := range []string{"an-admin-token-of-24-characters", "an-admin-token-of-24-characters", "another-admin-token-of-24-characters", ""} {
		env["GISTDEAL_ADMIN_TOKEN"] = token
		start(t, env).signal(syscall.SIGTERM)
	}
	var actions []string
	for _, e := range auditLog(t, env) {
		actions = append(actions, e.Actor+" "+e.Action+" "+e.Target)
	}
	const want = "configuration token.change admin, configuration token.change admin, configuration token.revoke admin"
	if got := strings.Join(actions, ", "); got != want {
		t.Errorf("the audit log has %s, want %s", got, want)
	}
}

func TestAStartWithOtherSettingsIsRecordedAsAChangeOfTheConfiguration(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 1})
	for _, backfill := range []string{"all", "all", "none", "none", ""} {
		env["GISTDEAL_BACKFILL"] = backfill
		start(t, env).signal(syscall.SIGTERM)
	}
	var changes []string
	for _, e := range auditLog(t, env) {
		changes = append(changes, e.Actor+" "+e.Action+" "+e.Target+" "+e.Before+" -> "+e.After)
	}
	const want = "configuration setting.change backfill all -> none, configuration setting.change backfill none -> all"
	if got := strings.Join(changes, ", "); got != want {
		t.Errorf("the audit log has %s, want %s", got, want)
	}
}

func TestThePageShowsTheAuditLogToAdmins(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-admin-token-of-24-characters"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, chromedp.Navigate(p.url), chromedp.WaitVisible("#token"), chromedp.SendKeys("#token", env["GISTDEAL_ADMIN_TOKEN"]+kb.Enter), chromedp.WaitVisible("#leave"))
	eval[any](t, ctx, `fetch('api/v1/pushes/pause', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"reason":"holiday"}'}).then(() => null)`)
	do(t, ctx, p, open(p, "settings"), chromedp.WaitVisible("#to-audit"))
	click(t, ctx, "#to-audit")
	waitFor(t, ctx, `document.querySelector('#entries [data-action="pushes.pause"]')`)
	if got := text(t, ctx, `#entries [data-action="pushes.pause"]`); !strings.Contains(got, "Holiday") || !strings.Contains(got, "admin · Page · 127.0.0.1") {
		t.Errorf("the pause is shown as %q", got)
	}
	click(t, ctx, `.chips a[data-only="configuration"]`)
	waitFor(t, ctx, `document.querySelector('#entries [data-action="token.change"]') && !document.querySelector('#entries [data-action="pushes.pause"]')`)
}
