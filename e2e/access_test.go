package e2e_test

import (
	"maps"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// statusAt sends a request to an address under a host name and returns the status
// of the answer.
func statusAt(t *testing.T, method, address, path, host, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
	testenv.Must(t, err)
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	testenv.Must(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAnythingThatLetsOthersInMakesEverybodyNeedAToken(t *testing.T) {
	t.Parallel()
	const add = `{"name":"stranger","scope":"admin"}`
	for name, tt := range map[string]struct {
		env   map[string]string
		token bool // there is one before the start
		warns string
	}{
		"a public URL":           {map[string]string{"GISTDEAL_PUBLIC_URL": "http://localhost:8050"}, false, "no token exists"},
		"a trusted proxy":        {map[string]string{"GISTDEAL_TRUSTED_PROXIES": "127.0.0.1"}, false, "no token exists"},
		"all addresses":          {map[string]string{"GISTDEAL_ADDR": ":0"}, false, "no token exists"},
		"GISTDEAL_AUTH":          {map[string]string{"GISTDEAL_AUTH": "token"}, false, "no token exists"},
		"an admin token":         {map[string]string{"GISTDEAL_ADMIN_TOKEN": "secret-admin-token-of-32-letters"}, false, ""},
		"a token":                {nil, true, ""},
		"for everybody to write": {map[string]string{"GISTDEAL_AUTH": "none", "GISTDEAL_PUBLIC_URL": "http://deals.example"}, false, "may track users and change deals"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := simulate(t, sim.Options{})
			maps.Copy(env, tt.env)
			if tt.token {
				first := start(t, env) // It creates the database.
				wantRun(t, env, 0, "", "tokens", "add", "--name=me", "--scope=read")
				first.signal(syscall.SIGTERM)
			}
			p := start(t, env)
			_, port, err := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
			testenv.Must(t, err)
			direct := net.JoinHostPort("127.0.0.1", port)
			for _, address := range []string{direct, testenv.Forward(t, direct)} {
				for _, host := range []string{"localhost", "localhost:8050", "127.0.0.1", "[::1]:8050", "gistdeal.example"} {
					if got := statusAt(t, "GET", address, "/trackedusers", host, ""); got != 401 {
						t.Errorf("reading at %s as %s: %d", address, host, got)
					}
					if got := statusAt(t, "POST", address, "/api/v1/tokens", host, add); got != 401 {
						t.Errorf("adding a token at %s as %s: %d", address, host, got)
					}
				}
			}
			if strings.Contains(p.out.String(), "no token needed on this machine") || !strings.Contains(p.out.String(), tt.warns) {
				t.Errorf("the log says:\n%s", p.out)
			}
			if tt.env["GISTDEAL_AUTH"] == "none" {
				if read, add := statusAt(t, "GET", direct, "/trackedusers", "deals.example", ""), statusAt(t, "POST", direct, "/api/v1/tokens", "deals.example", add); read != 200 || add != 403 {
					t.Errorf("at the public URL: reading %d, adding a token %d", read, add)
				}
			}
			noSecret(t, p)
		})
	}
}

func TestAPrivateStartNeedsNoTokenAndSaysSo(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	p := start(t, env)
	address := strings.TrimPrefix(p.url, "http://")
	if got := statusAt(t, "GET", address, "/trackedusers", "localhost", ""); got != 200 {
		t.Errorf("without tokens: %d", got)
	}
	if out := p.out.String(); !strings.Contains(out, `"no token needed on this machine"`) || !strings.Contains(out, "gistdeal tokens add") {
		t.Errorf("the log does not warn:\n%s", out)
	}
	var admin newToken
	read(t, env, &admin, "tokens", "add", "--name=admin2", "--scope=admin")
	if got := statusAt(t, "GET", address, "/trackedusers", "localhost", ""); got != 401 {
		t.Errorf("with a token, without sending it: %d", got)
	}
	if got := p.statusWith(admin.Token, "/api/v1/tokens"); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	wantRun(t, env, 0, "revoked", "tokens", "revoke", "admin2")
	if got := statusAt(t, "GET", address, "/trackedusers", "localhost", ""); got != 200 {
		t.Errorf("without tokens again: %d", got)
	}
}

func TestARevokedAdminTokenOpensNothing(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-admin-token-of-32-letters"
	p := start(t, env)
	wantRun(t, env, 0, "revoked", "tokens", "revoke", "admin")
	if got := statusAt(t, "GET", strings.TrimPrefix(p.url, "http://"), "/trackedusers", "localhost", ""); got != 401 {
		t.Errorf("without a token: %d", got)
	}
}
