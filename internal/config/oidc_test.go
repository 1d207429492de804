package config_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/config"
)

// signIn is an environment with a provider.
func signIn(change map[string]string) map[string]string {
	env := map[string]string{
		"GISTDEAL_PUBLIC_URL": "https://deals.example", "GISTDEAL_OIDC_ISSUER": "https://login.example/realms/team", "GISTDEAL_OIDC_CLIENT_ID": "gistdeal", "GISTDEAL_OIDC_READ": "sales",
	}
	maps.Copy(env, change)
	return env
}

func TestTheSignInIsConfiguredByVariables(t *testing.T) {
	t.Parallel()
	c, err := parse(signIn(map[string]string{"GISTDEAL_OIDC_ADMIN": " admins, ,email:ann@example.com", "GISTDEAL_OIDC_SESSION": "8h", "GISTDEAL_OIDC_CLIENT_SECRET": "x"}))
	if err != nil || c.OIDC.Read.String() != "sales" || c.OIDC.Admin.String() != "admins,email:ann@example.com" || c.OIDC.Session != 8*time.Hour ||
		c.OIDC.GroupsClaim != "groups" || c.RedirectURL() != "https://deals.example/login/oidc/callback" {
		t.Errorf("%+v, %v", c.OIDC, err)
	}
	if c, err := parse(nil); err != nil || c.OIDC.Issuer != "" {
		t.Errorf("without a provider: %+v, %v", c.OIDC, err)
	}
	if _, err := parse(signIn(map[string]string{"GISTDEAL_PUBLIC_URL": "http://localhost:8050", "GISTDEAL_OIDC_ISSUER": "http://127.0.0.1:9998"})); err != nil {
		t.Errorf("without TLS on this machine: %v", err)
	}
}

func TestEachMistakeOfTheSignInIsOneMistake(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change map[string]string
		want   string
	}{
		"no issuer":                    {map[string]string{"GISTDEAL_OIDC_ISSUER": ""}, "GISTDEAL_OIDC_ISSUER is not set"},
		"an issuer without TLS":        {map[string]string{"GISTDEAL_OIDC_ISSUER": "http://login.example"}, "want https://host"},
		"an issuer that is a name":     {map[string]string{"GISTDEAL_OIDC_ISSUER": "login.example"}, "want https://host"},
		"an issuer with a query":       {map[string]string{"GISTDEAL_OIDC_ISSUER": "https://login.example/?x"}, "want https://host"},
		"no client":                    {map[string]string{"GISTDEAL_OIDC_CLIENT_ID": ""}, "/login/oidc/callback"},
		"nobody":                       {map[string]string{"GISTDEAL_OIDC_READ": " ,"}, "nobody could sign in"},
		"no address":                   {map[string]string{"GISTDEAL_OIDC_READ": "email:ann"}, "want email:ann@example.com"},
		"no public URL":                {map[string]string{"GISTDEAL_PUBLIC_URL": ""}, "needs GISTDEAL_PUBLIC_URL"},
		"a public URL without TLS":     {map[string]string{"GISTDEAL_PUBLIC_URL": "http://deals.example"}, "with https"},
		"a public URL with a mistake":  {map[string]string{"GISTDEAL_PUBLIC_URL": "deals.example"}, "not the address of a site"},
		"a short session":              {map[string]string{"GISTDEAL_OIDC_SESSION": "1s"}, "GISTDEAL_OIDC_SESSION"},
		"a secret with a space":        {map[string]string{"GISTDEAL_OIDC_CLIENT_SECRET": "a b"}, "GISTDEAL_OIDC_CLIENT_SECRET"},
		"a secret and a file":          {map[string]string{"GISTDEAL_OIDC_CLIENT_SECRET": "a", "GISTDEAL_OIDC_CLIENT_SECRET_FILE": "/dev/null"}, "keep one"},
		"a name that is spelled wrong": {map[string]string{"GISTDEAL_OIDC_WRITES": "x"}, "check its spelling"},
	} {
		_, err := parse(signIn(tt.change))
		if len(config.Mistakes(err)) != 1 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want one mistake with %q", name, err, tt.want)
		}
	}
	_, err := parse(signIn(map[string]string{"GISTDEAL_PUBLIC_URL": "", "GISTDEAL_OIDC_CLIENT_ID": "", "GISTDEAL_OIDC_ISSUER": "x", "GISTDEAL_OIDC_SESSION": "soon"}))
	if len(config.Mistakes(err)) != 4 {
		t.Errorf("four mistakes: %v", err)
	}
}
