package e2e_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// hangUp sends SIGHUP and waits for the log event that ends the reading of secrets.
func hangUp(p *process, event string) {
	p.t.Helper()
	before := strings.Count(p.out.String(), event)
	testenv.Must(p.t, p.cmd.Process.Signal(syscall.SIGHUP))
	testenv.Eventually(p.t, event, func() bool { return strings.Count(p.out.String(), event) > before }, p.out)
}

func TestSecretsInFilesAreReadAgainOnHangup(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	use := func(key string) {
		s.Set(func(o *sim.Options) { o.Token, o.GitHubToken = key, key })
	}
	keys, admin := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "admin")
	write := func(file, text string) { testenv.Must(t, os.WriteFile(file, []byte(text+"\n"), 0o600)) }
	use("secret-old")
	write(keys, "secret-old")
	write(admin, "secret-admin-of-the-first-day")
	env["GITHUB_TOKEN"], env["PIPEDRIVE_API_KEY"] = "", ""
	env["GITHUB_TOKEN_FILE"], env["PIPEDRIVE_API_KEY_FILE"], env["GISTDEAL_ADMIN_TOKEN_FILE"] = keys, keys, admin
	s.MakeGists("alice", 3)
	p := start(t, env)
	wantRun(t, env, 0, "added", "users", "add", "alice", "--backfill=all")
	wantRun(t, env, 0, "created  3", "scan", "alice")

	write(keys, "secret-mistyped")
	hangUp(p, `"msg":"secrets read again","changed":[]`)
	if n := strings.Count(p.out.String(), `"msg":"new secret not used"`); n != 2 {
		t.Errorf("%d refused secrets in the log, want 2:\n%s", n, p.out)
	}
	s.MakeGists("alice", 1)
	wantRun(t, env, 0, "created  4", "scan", "alice") // With the old keys.

	write(keys, "secret-new")
	write(admin, "secret-admin-of-the-second-day")
	use("secret-new")
	hangUp(p, `"msg":"secrets read again","changed":["GISTDEAL_ADMIN_TOKEN","GITHUB_TOKEN","PIPEDRIVE_API_KEY"]`)
	s.MakeGists("alice", 1)
	wantRun(t, env, 0, "created  5", "scan", "alice")
	for token, want := range map[string]int{"secret-admin-of-the-first-day": http.StatusUnauthorized, "secret-admin-of-the-second-day": http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/api/v1/tokens", nil)
		testenv.Must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		testenv.Must(t, err)
		testenv.Must(t, resp.Body.Close())
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", token, resp.StatusCode, want)
		}
	}
	testenv.Must(t, os.Remove(keys))
	hangUp(p, `"msg":"secrets not read again"`)
	wantRun(t, env, 78, "no such file", "users", "list")
	noSecret(t, p)
}

func TestAKeyOfAnotherCompanyIsNotUsedOnHangup(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	key := filepath.Join(t.TempDir(), "key")
	testenv.Must(t, os.WriteFile(key, []byte("secret-old"), 0o600))
	env["PIPEDRIVE_API_KEY"], env["PIPEDRIVE_API_KEY_FILE"] = "", key
	s.MakeGists("alice", 1)
	p := start(t, env)
	waitForDeals(t, p, "alice", 1)
	s.Set(func(o *sim.Options) { o.CompanyID = 42 })
	testenv.Must(t, os.WriteFile(key, []byte("secret-new"), 0o600))
	hangUp(p, `but the key is of company 42`)
	if status, _ := p.get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz answers %d", status)
	}
}

func TestTheServiceManagerIsToldTheState(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	dir, err := os.MkdirTemp("", "notify-") // The path of a socket is short.
	testenv.Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	env["NOTIFY_SOCKET"] = filepath.Join(dir, "socket")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: env["NOTIFY_SOCKET"], Net: "unixgram"})
	testenv.Must(t, err)
	defer socket.Close()
	testenv.Must(t, socket.SetReadDeadline(time.Now().Add(time.Minute)))
	next := func(want string) {
		t.Helper()
		text := make([]byte, 1000)
		n, err := socket.Read(text)
		if err != nil || !strings.HasPrefix(string(text[:n]), want) {
			t.Fatalf("told %q, %v, want %q", text[:n], err, want)
		}
	}
	p := start(t, env)
	next("READY=1\nSTATUS=listening on 127.0.0.1:")
	testenv.Must(t, p.cmd.Process.Signal(syscall.SIGHUP))
	next("RELOADING=1")
	next("READY=1")
	p.signal(syscall.SIGTERM)
	next("STOPPING=1")
}
