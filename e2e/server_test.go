package e2e_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// compared are commands that must do and print the same in a database and at its server,
// in an order in which each has something to do.
var compared = []string{
	"users add alice --backfill all", "scan alice", "NEWGIST aa02", "scan alice", "users add bob --backfill all", "scan bob", "users add carol", "scan carol", "users add alice", "users add @ALICE carol nobody-here bad/login --json", "users list", "users list --state active --search ALI --json",
	"scan alice", "scan https://github.com/alice --json", "scan nobody-here",
	"events list --user nobody-here", "events list --type deal.lost", "deals list", "deals list --json --state created", "deals list --user nobody-here", "deals list --limit 1", "deals list --since 1h --sort -gist --search aa", "deals list --csv --search aa",
	"deals explain aa01", "deals explain https://gist.github.com/alice/aa02 --json", "deals explain nope",
	"pause --reason holiday", "pause --json", "NEWGIST aa03", "scan alice", "deals skip aa03 aa01 nope --reason old", "deals list --state skipped --json", "deals skip",
	"deals retry", "deals retry --state created", "deals retry --state skipped --dry-run", "deals retry --state skipped", "deals retry --state skipped --yes --json", "resume", "resume --json", "scan alice",
	"users pause alice nobody-here", "scan alice", "users resume alice --json", "users approve alice bob nobody-here", "users approve alice --dry-run --json",
	"plan alice carol --json", "plan bob --backfill none", "quota",
	"requests list --json", "requests cancel alice bad/login", "requests cancel --all --json", "requests list",
	"tokens add --name ci --scope read", "tokens add --name ci --scope read", "tokens add --name ci/2 --scope read", "tokens list", "tokens rotate ci --overlap 7d --expires 90d --json", "tokens rotate admin", "tokens add --name cj --scope read --rate 5 --expires 12h --json", "tokens add --name ck --scope feed", "tokens list --json", "tokens revoke ci --json", "tokens revoke ci",
	"webhooks add n8n https://127.0.0.1:1/x?secret-token --type deal.created --user alice", "webhooks add n8n https://127.0.0.1:1", "webhooks add n9n http://x/ --type nothing", "webhooks disable n8n", "webhooks list --json", "webhooks change n8n --all-types --all-users", "webhooks redeliver n8n --first 1 --json", "webhooks deliveries n8n --limit 1", "webhooks deliveries n8n --state delivered --json", "webhooks deliveries nope", "webhooks list", "webhooks test n8n", "webhooks rotate n8n --overlap 0s --json", "webhooks delete n8n", "webhooks delete n8n", "webhooks add chat https://127.0.0.1:1/secret-path --kind slack --digest daily --quiet 20:00-07:30 --zone Europe/Berlin --json", "webhooks disable chat", "webhooks add chit https://127.0.0.1:1 --kind ntfy --quiet never", "webhooks change chat --quiet 21:00-07:00 --digest hourly --json", "webhooks rotate chat", "webhooks redeliver chat --failed", "webhooks list", "webhooks delete chat",
	"people list", "people sign-out nobody", "people forget nobody --json",
	"users add --file MANY --yes", "operations list", "operations show nope", "operations cancel nope --json",
	"users remove bob", "users remove bob", "users erase bob --dry-run --json", "users erase bob", "users erase bob --yes", "users erase bob --yes", "users add bob", "users add bob --again --backfill none", "scan bob",
	"audit", "audit --json --archived", "BYHAND aa01", "audit --repair --dry-run", "audit --repair --yes --json", "audit --recreate aa01 --yes", "audit --recreate nope --dry-run", "audit --delete-duplicate 999999 --dry-run", "audit --delete-duplicate DUPLICATE --dry-run", "audit --delete-duplicate DUPLICATE --yes",
	"export", "apply -f FILE --dry-run", "apply -f FILE --dry-run --json --prune", "apply -f FILE", "apply -f FILE --yes", "apply -f FILE --dry-run", "apply -f FILE --yes --json --prune", "apply -f FILE", "export", "apply -f WRONG --yes",
	"audit-log --json --limit 0", "audit-log --action user.pause --target ALICE", "audit-log --csv", "audit-log --action user.fly",
}

// applied is the file FILE. The users alice, bob and carol exist.
const applied = `version: 1
settings: {approval_threshold: 1000000, daily_limit: 7, backfill: none}
users:
- {login: alice, paused: true}
- {login: bob, backfill: none}
- {login: dora}
`

// extra are the lines about the database or the server, about what is done, and about the
// use of a token by a command.
var extra = regexp.MustCompile(`(?m)^(database|server|reading|deals): .*\n|,\n *"last_used_(at|from)": "[^"]*"`)

// variable are the parts of outputs that differ from run to run, or name the actor.
var variable = []*regexp.Regexp{
	regexp.MustCompile(`\d{4}-\d\d-\d\d[T ][0-9:.]+(Z| UTC)`), regexp.MustCompile(`(in )?\d+ (ms|s|min|h)( ago)?`), regexp.MustCompile(`gd_[A-Z0-9]+`), regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`),
	regexp.MustCompile(`"sweep": \{[^}]*\}`), regexp.MustCompile(`(?m)^Sweeps .*\n`), // as of the last minute
	regexp.MustCompile(`"(actor|source|address|by)": ".*",?\n *`), regexp.MustCompile(`(?m) +$`), regexp.MustCompile(` {2,}`),
	regexp.MustCompile(`,[^,]*,(command|api),[^,]*,`), regexp.MustCompile(`\b\d{4,}\b`), regexp.MustCompile(`[0-9a-f]{40}`), regexp.MustCompile(`[A-Z2-7]{26}|101 101 100 \w+`), regexp.MustCompile(`admin admin.*`), regexp.MustCompile(`root command|admin api`), regexp.MustCompile(`"seconds": [0-9.]+`), regexp.MustCompile(`http://127.0.0.1:\d+`),
}

// auditedLately has the database end an audit now, so that no nightly one is due: its entry
// of the audit log would come between those of the commands.
func auditedLately(t *testing.T, env map[string]string) {
	t.Helper()
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	testenv.Must(t, db.RequestAudit(t.Context(), gistdeal.AuditRequest{ID: "lately", RequestedAt: time.Now()}))
	testenv.Must(t, errors.Join(db.EndAudit(t.Context(), gistdeal.Audit{ID: "lately", RequestedAt: time.Now(), EndedAt: time.Now()}), db.Close()))
}

func TestEachCommandDoesTheSameAtAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := strings.NewReplacer("FILE", filepath.Join(dir, "right.yaml"), "WRONG", filepath.Join(dir, "wrong.yaml"), "MANY", filepath.Join(dir, "many.txt"))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "many.txt"), []byte("alice "+strings.Repeat("b@d ", 100)), 0o600))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "right.yaml"), []byte(applied), 0o600))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "wrong.yaml"), []byte("version: 1\nuser: []\n"), 0o600))
	outputs := map[bool][]string{}
	for _, atServer := range []bool{false, true} {
		s, env := simulate(t, sim.Options{Seed: 7})
		s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "aa01"}}})
		s.AddUser(sim.User{Login: "bob", Gists: []sim.Gist{{ID: "bb01"}}})
		s.AddUser(sim.User{Login: "carol"})
		s.AddUser(sim.User{Login: "dora"})
		env["GISTDEAL_ADMIN_TOKEN"] = "an-admin-token-of-24-characters"
		auditedLately(t, env)
		p := start(t, env)
		duplicate := int64(0)
		if atServer {
			env = map[string]string{"GISTDEAL_SERVER": p.url, "GISTDEAL_TOKEN": env["GISTDEAL_ADMIN_TOKEN"]}
		}
		for _, command := range compared {
			if id, ok := strings.CutPrefix(command, "NEWGIST "); ok {
				s.AddGist("alice", sim.Gist{ID: id})
				continue
			}
			if id, ok := strings.CutPrefix(command, "BYHAND "); ok {
				duplicate = s.SeedDeal("alice", id, "by hand")
				continue
			}
			command := strings.Replace(command, "DUPLICATE", strconv.FormatInt(duplicate, 10), 1)
			status, out := run(t, env, strings.Fields(files.Replace(command))...)
			if atServer != strings.Contains(out, "server: "+p.url+"\n") && strings.Contains(out, "database: ") {
				t.Errorf("%s does not say what it works on:\n%s", command, out)
			}
			if strings.Contains(out, "an-admin-token") {
				t.Errorf("%s prints the token:\n%s", command, out)
			}
			out = extra.ReplaceAllString(out, "")
			if command == "quota" {
				out = "" // It is as the leader last recorded it, a few seconds ago or never.
			}
			for _, part := range variable {
				out = part.ReplaceAllString(out, " ")
			}
			outputs[atServer] = append(outputs[atServer], command+": exit status "+string(rune('0'+status%10))+"\n"+out)
		}
	}
	for i, local := range outputs[false] {
		if remote := outputs[true][i]; remote != local {
			t.Errorf("in the database:\n%s\nat the server:\n%s", local, remote)
		}
	}
}

func TestAServerThatCannotBeUsedIsExplained(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	env["GISTDEAL_ADMIN_TOKEN"] = "an-admin-token-of-24-characters"
	p := start(t, env)
	_, token := run(t, env, "tokens", "add", "--name", "reader", "--scope", "read", "--json")
	token = regexp.MustCompile(`gd_[A-Z0-9]+`).FindString(token)
	file := filepath.Join(t.TempDir(), "token")
	testenv.Must(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved/api/v1/users":
			http.Redirect(w, r, "https://deals.example/", http.StatusFound)
		case "/older/api/v1/users":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"type":"about:blank","title":"Not found","status":404,"detail":"there is no such route"}`))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(secure.Close)
	t.Cleanup(other.Close)
	for name, tt := range map[string]struct {
		status    int
		want      string
		arguments string
		env       map[string]string
	}{
		"works with a file":     {0, "LOGIN", "users list --server " + p.url + " --token-file " + file, nil},
		"the flag wins":         {0, "LOGIN", "--server " + p.url + " --token-file " + file + " users list", map[string]string{"GISTDEAL_SERVER": "http://127.0.0.1:1", "GISTDEAL_TOKEN": "secret-wrong"}},
		"no token":              {1, "the token is missing, wrong or revoked", "users list --server " + p.url, nil},
		"wrong token":           {1, "--token-file or GISTDEAL_TOKEN_FILE", "users list --server " + p.url, map[string]string{"GISTDEAL_TOKEN": "secret-wrong"}},
		"scope":                 {1, "your token may not do this: this request needs a token with the scope admin", "pause --server " + p.url + " --token-file " + file, nil},
		"no server":             {1, "no answer: check the address, and that gistdeal runs there", "users list --server http://127.0.0.1:1", nil},
		"another server":        {1, "but not as gistdeal's API", "users list --server " + other.URL, nil},
		"a redirect":            {1, "redirects to https://deals.example/", "users list --server " + other.URL + "/moved", nil},
		"an older server":       {1, "its gistdeal is older than this one", "users list --server " + other.URL + "/older", nil},
		"an unknown authority":  {1, "its certificate is not trusted", "users list --server " + secure.URL, nil},
		"no TLS":                {1, "answers without TLS", "users list --server " + strings.Replace(p.url, "http:", "https:", 1), nil},
		"readable on the way":   {78, "use https://, or allow it with --plain-http", "users list --server http://deals.example", nil},
		"no address":            {78, "not an address such as", "users list --server deals.example", nil},
		"a token in it":         {78, "a token belongs into", "users list --server https://me:secret-token@deals.example", nil},
		"a token as argument":   {80, "unknown flag --token", "users list --token=secret-token", nil},
		"a token without":       {78, "--token-file is for a server", "users list --token-file " + file, nil},
		"a token for commands":  {0, "LOGIN", "users list", map[string]string{"GISTDEAL_TOKEN": "of-the-server", "GISTDEAL_DATABASE_URL": env["GISTDEAL_DATABASE_URL"]}},
		"a local command":       {80, "`gistdeal backup` works only on the machine of the database", "backup copy.db --server " + p.url, nil},
		"a local one elsewhere": {80, "`gistdeal serve` works only", "serve", map[string]string{"GISTDEAL_SERVER": p.url}},
		"neither":               {0, "gistdeal ", "version", map[string]string{"GISTDEAL_SERVER": p.url}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRun(t, tt.env, tt.status, tt.want, strings.Fields(tt.arguments)...)
		})
	}
}

func TestALargeChangeOfDealsAtAServerIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 130)
	p := start(t, env)
	server := map[string]string{"GISTDEAL_SERVER": p.url}
	wantRun(t, server, 0, "added", "users", "add", "alice", "--backfill=none")
	wantRun(t, server, 0, "skipped  130", "scan", "alice")
	wantRun(t, server, 80, "queue 130 deals", "deals", "retry", "--state=skipped")
	wantRun(t, server, 0, "130 deals queued", "deals", "retry", "--state=skipped", "--yes")
	wantRun(t, server, 0, "created  130", "scan", "alice")
	wantRun(t, server, 0, "completed", "operations", "list")
	wantDeals(t, s, 130)
}
