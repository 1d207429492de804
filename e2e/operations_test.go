package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAChangedKeyIsReadAtTheNextStart(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.Set(func(o *sim.Options) { o.Token, o.GitHubToken = "secret-old", "secret-old" })
	file := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		testenv.Must(t, os.WriteFile(file, []byte(key+"\n"), 0o600))
	}
	write("secret-old")
	env["GITHUB_TOKEN"], env["PIPEDRIVE_API_KEY"] = "", ""
	env["GITHUB_TOKEN_FILE"], env["PIPEDRIVE_API_KEY_FILE"] = file, file
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	s.Set(func(o *sim.Options) { o.Token, o.GitHubToken = "secret-new", "secret-new" })
	write("secret-new")
	s.MakeGists("alice", 2)
	wantRun(t, env, 1, "GitHub refuses the token", "scan", "alice")
	p.signal(syscall.SIGTERM)
	noSecret(t, p)
	p = start(t, env)
	wantRun(t, env, 0, "created  5", "scan", "alice")
	noSecret(t, p)
}

func TestARestoredDatabaseIsInspectedDuringAPause(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	copied := filepath.Join(t.TempDir(), "copy.db")
	wantRun(t, env, 0, "To restore it", "backup", copied)
	s.MakeGists("alice", 2)
	wantRun(t, env, 0, "created  5", "scan", "alice")
	p.signal(syscall.SIGTERM)
	s.MakeGists("alice", 1)
	env["GISTDEAL_DATABASE_URL"] = copied
	wantRun(t, env, 0, "no deals are created", "pause", "--reason=restored")
	p = start(t, env)
	wantRun(t, env, 1, "restored", "scan", "alice")
	testenv.Eventually(t, "two deals are adopted", func() bool {
		_, out := run(t, env, "deals", "list", "--state=created")
		return strings.Count(out, "alice") == 5
	}, p.out)
	if r := s.Report(); r.Deals != 5 {
		t.Errorf("%d deals during the pause, want 5", r.Deals)
	}
	wantRun(t, env, 0, "created again", "resume")
	waitForDeals(t, p, "alice", 6)
	wantDeals(t, s, 6)
}
