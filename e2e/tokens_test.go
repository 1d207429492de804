package e2e_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// newToken is the output of `tokens add --json`.
type newToken struct{ Name, Scope, Token string }

// tokens is the output of `tokens list --json`.
type tokens struct {
	Tokens []struct {
		Name, Scope string
		CreatedAt   *time.Time `json:"created_at"`
		LastUsedAt  *time.Time `json:"last_used_at"`
	}
}

// statusWith sends a request with a token and returns the status of the answer.
func (p *process) statusWith(token, path string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	testenv.Must(p.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	testenv.Must(p.t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestATokenIsCreatedUsedListedAndRevokedWhileServeRuns(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{})
	s.MakeGists("alice", 1)
	p := start(t, env)
	var list tokens
	if status := read(t, env, &list, "tokens", "list"); status != 0 || list.Tokens == nil {
		t.Errorf("without a token: %d %+v", status, list)
	}
	var ci newToken
	if status := read(t, env, &ci, "tokens", "add", "--name=ci", "--scope=read"); status != 0 || ci.Name != "ci" || ci.Scope != "read" {
		t.Fatalf("exit status %d, %+v", status, ci)
	}
	wantRun(t, env, 0, "\ngd_", "tokens", "add", "--name=other.one", "--scope", "write")
	if got := p.statusWith(ci.Token, "/trackedusers"); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	if got := p.statusWith(ci.Token, "/user/alice"); got != 403 {
		t.Errorf("tracking with a read token: %d", got)
	}
	testenv.Eventually(t, "the last use is recorded", func() bool {
		read(t, env, &list, "tokens", "list")
		return len(list.Tokens) == 2 && list.Tokens[0].LastUsedAt != nil
	}, p.out)
	if list.Tokens[0].Name != "ci" || list.Tokens[0].CreatedAt == nil || list.Tokens[1].LastUsedAt != nil {
		t.Errorf("%+v", list)
	}
	if _, out := run(t, env, "tokens", "list"); strings.Contains(out, ci.Token) || !strings.Contains(out, "ago") {
		t.Errorf("the list is:\n%s", out)
	}
	for _, bad := range []struct {
		status int
		text   string
		args   string
	}{
		{1, `token "ci" already exists`, "add --name=ci --scope=admin"},
		{1, "cannot be the name", "add --name=a/b --scope=read"},
		{1, "GISTDEAL_ADMIN_TOKEN sets", "add --name=admin --scope=read"},
		{80, "must be one of", "add --name=x --scope=all"},
		{80, "missing flags", "add --name=x"},
		{1, `token "nobody" does not exist`, "revoke nobody"},
	} {
		wantRun(t, env, bad.status, bad.text, append([]string{"tokens"}, strings.Fields(bad.args)...)...)
	}
	wantRun(t, env, 0, "revoked", "tokens", "revoke", "ci")
	if got := p.statusWith(ci.Token, "/trackedusers"); got != 401 {
		t.Errorf("with the revoked token: %d", got)
	}
	if strings.Contains(p.out.String(), ci.Token) {
		t.Error("the log contains the token")
	}
}

func TestATokenIsRotatedWhileItsClientsGoOn(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	p := start(t, env)
	var first, second, third newToken
	wantRun(t, env, 80, "without the flag it never ends", "tokens", "add", "--name=ci", "--scope=read", "--expires=0d")
	if status := read(t, env, &first, "tokens", "add", "--name=ci", "--scope=read", "--expires=90d", "--rate=20"); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	wantRun(t, env, 0, "20/s", "tokens", "list")
	if status := read(t, env, &second, "tokens", "rotate", "ci"); status != 0 || second.Name != "ci" {
		t.Fatalf("exit status %d, %+v", status, second)
	}
	for _, token := range []newToken{first, second} {
		if got := p.statusWith(token.Token, "/trackedusers"); got != 200 {
			t.Errorf("during the overlap: %d", got)
		}
	}
	testenv.Eventually(t, "the address of the last use is shown", func() bool {
		_, out := run(t, env, "tokens", "list")
		return strings.Contains(out, "127.0.0.1") && strings.Contains(out, "ends in ") && strings.Contains(out, "in 89 d")
	}, p.out)
	read(t, env, &third, "tokens", "rotate", "ci", "--overlap=0s")
	for token, want := range map[string]int{first.Token: 401, second.Token: 401, third.Token: 200} {
		if got := p.statusWith(token, "/trackedusers"); got != want {
			t.Errorf("after a rotation without overlap: %d, want %d", got, want)
		}
	}
	for text, args := range map[string]string{
		`token "nobody" does not exist`: "rotate nobody", "change the variable": "rotate admin", "at most 30d": "rotate ci --overlap=31d",
	} {
		wantRun(t, env, 1, text, append([]string{"tokens"}, strings.Fields(args)...)...)
	}
	wantRun(t, env, 80, "is not a period", "tokens", "rotate", "ci", "--overlap=soon")
	for _, token := range []newToken{first, second, third} {
		if strings.Contains(p.out.String(), token.Token) {
			t.Error("the log contains a token")
		}
	}
}

func TestTheAdminTokenIsValidWhileItIsConfigured(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	const one, two = "secret-token-one-of-24-letters", "secret-token-two-of-24-letters"
	valid := func(token, want string) {
		t.Helper()
		env["GISTDEAL_ADMIN_TOKEN"] = token
		p := start(t, env)
		for _, try := range []string{one, two} {
			if got := p.statusWith(try, "/trackedusers"); (got == 200) != (try == want) {
				t.Errorf("GISTDEAL_ADMIN_TOKEN=%s: %s gets %d", token, try, got)
			}
		}
		p.signal(syscall.SIGTERM)
		noSecret(t, p)
	}
	valid(one, one)
	valid(two, two)
	wantRun(t, env, 0, "makes it valid again", "tokens", "revoke", "admin")
	valid(two, two)
	valid("", "")

	var ci newToken
	read(t, env, &ci, "tokens", "add", "--name=ci", "--scope=read")
	env["GISTDEAL_ADMIN_TOKEN"] = ci.Token
	if status, out := launch(t, env).exit(); status != 1 || !strings.Contains(out, `the token "ci" has the same value`) || strings.Contains(out, ci.Token) {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

func TestThePublicURLIsTheAddressOfASite(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	for url, want := range map[string]string{
		"https://Deals.Example/": "GISTDEAL_PUBLIC_URL=https://deals.example\n", "https://deals.example:443": "=https://deals.example\n",
		"http://10.0.0.7:8050": "=http://10.0.0.7:8050\n", "http://deals.example:443": "=http://deals.example:443\n", "": "# GISTDEAL_PUBLIC_URL=(not set)\n",
		"deals.example": "", "ftp://deals.example": "", "https://deals.example/path": "", "https://deals.example?x": "", "https://u:p@deals.example": "",
	} {
		env["GISTDEAL_PUBLIC_URL"] = url
		if want == "" {
			wantRun(t, env, 78, "GISTDEAL_PUBLIC_URL is not the address of a site", "serve", "--check")
			continue
		}
		wantRun(t, env, 0, want, "serve", "--check")
	}
}
