package doctor_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/doctor"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// world is the simulated remotes and an environment that fits them.
type world struct {
	sim *sim.Sim
	env map[string]string
}

func newWorld(t *testing.T) world {
	t.Helper()
	s, url := testenv.Simulate(t, sim.Options{Seed: 1})
	return world{s, map[string]string{
		"GITHUB_TOKEN": "github", "GITHUB_API_URL": url, "PIPEDRIVE_API_KEY": "pipedrive", "PIPEDRIVE_API_URL": url,
		"GISTDEAL_ADDR": "127.0.0.1:0", "GISTDEAL_DATABASE_URL": filepath.Join(t.TempDir(), "test.db"),
	}}
}

// examine runs all checks.
func (w world) examine(t *testing.T) doctor.Health {
	t.Helper()
	c, err := config.Parse(w.env)
	return doctor.Examine(t.Context(), c, err, doctor.Options{Timeout: 5 * time.Second})
}

// want fails the test unless the check has the state and its message the text.
func want(t *testing.T, h doctor.Health, name string, state doctor.State, text string) {
	t.Helper()
	if !slices.ContainsFunc(h.Checks, func(c doctor.Check) bool {
		return c.Name == name && c.State == state && strings.Contains(c.Message, text)
	}) {
		t.Errorf("no check %s is %s and says %q: %+v", name, state, text, h.Checks)
	}
}

func TestAGoodConfigurationPassesAllChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.examine(t)
	if !h.OK {
		t.Error("the configuration is not healthy")
	}
	for _, c := range h.Checks {
		if c.State != doctor.OK {
			t.Errorf("%+v", c)
		}
	}
	want(t, h, "database", doctor.OK, "will be created at the first start")
	want(t, h, "pipeline", doctor.OK, "the account's default")
	want(t, h, "clock", doctor.OK, "off GitHub's")
	if _, err := os.Stat(w.env["GISTDEAL_DATABASE_URL"]); !os.IsNotExist(err) {
		t.Errorf("a database was created: %v", err)
	}
	if posts := w.sim.Report().Requests["POST /api/v2/dealFields"]; posts != 0 {
		t.Errorf("%d fields were created", posts)
	}
}

func TestEachFaultIsReportedAndTheOtherChecksRun(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, bytes.Repeat([]byte("notes "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		set         func(*sim.Options) // of the remotes; may be nil
		env         string             // NAME=value
		check       string
		state       doctor.State
		text        string
		alsoChecked string // stays ok
	}{
		"a mistake":                {nil, "GISTDEAL_LEASE=soon", "configuration", doctor.Fail, "is not a duration", "github"},
		"an old name":              {nil, "GISTDEAL_OPEN=1", "configuration", doctor.Fail, "use GISTDEAL_AUTH", "pipedrive"},
		"no key":                   {nil, "PIPEDRIVE_API_KEY=", "pipedrive", doctor.Fail, "set PIPEDRIVE_API_KEY", "github"},
		"a wrong key":              {func(o *sim.Options) { o.Token = "x" }, "", "pipedrive", doctor.Fail, "set PIPEDRIVE_API_KEY", "github"},
		"a wrong token":            {func(o *sim.Options) { o.GitHubToken = "x" }, "", "github", doctor.Fail, "set GITHUB_TOKEN", "pipedrive"},
		"a token of an app":        {func(o *sim.Options) { o.AppToken = true }, "", "github", doctor.Fail, "personal access token", "pipedrive"},
		"no token":                 {nil, "GITHUB_TOKEN=", "github", doctor.Warn, "60 requests an hour", "pipedrive"},
		"a token with scopes":      {func(o *sim.Options) { o.TokenScopes = "repo" }, "", "github", doctor.Warn, "scopes repo", "pipedrive"},
		"a quota that is used up":  {func(o *sim.Options) { o.DailyTokens = 45 }, "", "pipedrive_quota", doctor.Warn, "GISTDEAL_QUOTA_RESERVE", "pipedrive"},
		"no permission for deals":  {func(o *sim.Options) { o.Cannot = []string{"can_add_deals"} }, "", "permissions", doctor.Fail, "may not add deals", "fields"},
		"no permission for fields": {func(o *sim.Options) { o.Cannot = []string{"can_add_custom_fields"} }, "", "fields", doctor.Fail, `"Gist ID" of type Text`, "permissions"},
		"an unreachable Pipedrive": {nil, "PIPEDRIVE_API_URL=http://127.0.0.1:1", "pipedrive", doctor.Fail, "can this machine reach Pipedrive", "github"},
		"an unknown pipeline":      {nil, "GISTDEAL_PIPELINE=Gifts", "pipeline", doctor.Fail, "set GISTDEAL_PIPELINE to one of", "fields"},
		"no database":              {nil, "GISTDEAL_DATABASE_URL=" + notes, "database", doctor.Fail, "not a SQLite database", "pipedrive"},
		"no folder":                {nil, "GISTDEAL_DATABASE_URL=/no/such/x.db", "database", doctor.Fail, "make the folder", "github"},
		"an address in use":        {nil, "GISTDEAL_ADDR=" + strings.TrimPrefix(other.URL, "http://"), "address", doctor.Fail, "in use by another program", "github"},
		"a late clock":             {func(o *sim.Options) { o.Now = func() time.Time { return time.Now().Add(time.Minute) } }, "", "clock", doctor.Warn, "NTP", "github"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.set != nil {
				w.sim.Set(tt.set)
			}
			if name, value, set := strings.Cut(tt.env, "="); set {
				w.env[name] = value
			}
			h := w.examine(t)
			want(t, h, tt.check, tt.state, tt.text)
			want(t, h, tt.alsoChecked, doctor.OK, "")
			if h.OK != (tt.state == doctor.Warn) {
				t.Errorf("healthy: %t", h.OK)
			}
		})
	}
}

func TestTheStateOfTheDatabaseIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	db, err := store.Open(t.Context(), w.env["GISTDEAL_DATABASE_URL"], store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want(t, w.examine(t), "deals", doctor.OK, "0 active users")
	want(t, w.examine(t), "leader", doctor.OK, "no gistdeal instance is running")
	if _, err := db.PausePushes(t.Context(), "holiday", time.Now()); err != nil {
		t.Fatal(err)
	}
	want(t, w.examine(t), "deals", doctor.Warn, "gistdeal resume")
	for name, value := range map[string]string{gistdeal.KeyCompany: "42", string(gistdeal.SettingPipeline): "Gists"} {
		if err := db.Set(t.Context(), name, value); err != nil {
			t.Fatal(err)
		}
	}
	h := w.examine(t)
	want(t, h, "company", doctor.Fail, "belongs to company 42")
	want(t, h, "pipeline", doctor.OK, `the first stage of "Gists"`)
}

func TestReadyTriesAllAddressesOfThisMachine(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			_, _ = w.Write([]byte(`{"status":"ready"}`))
		}
	}))
	t.Cleanup(s.Close)
	addr := strings.TrimPrefix(s.URL, "http://")
	if status, err := doctor.Ready(t.Context(), addr); status != "ready" || err != nil {
		t.Errorf("%q, %v", status, err)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	for _, addr := range []string{strings.TrimPrefix(other.URL, "http://"), "no address"} {
		if status, err := doctor.Ready(t.Context(), addr); err == nil {
			t.Errorf("%s is %q", addr, status)
		}
	}
}

func TestARegularUsersKeyIsExplainedStepByStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.Set(func(o *sim.Options) { o.Regular = true })
	h := w.examine(t)
	want(t, h, "permissions", doctor.Warn, "cannot promise exactly one")
	want(t, h, "fields", doctor.Fail, `"Gist author" of type Text, "Gist" of type Large text, "Gist Access URL" of type Text, "Gist ID" of type Text (only "Gist ID" is required)`)
	w.sim.AddField("Gist ID", "varchar")
	h = w.examine(t)
	want(t, h, "fields", doctor.Warn, "new deals have no Gist author, Gist, Gist Access URL")
	if !h.OK {
		t.Error("the optional fields are required")
	}
}
