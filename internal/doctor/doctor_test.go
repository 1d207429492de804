package doctor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
	"gistdeal/internal/doctor"
	"gistdeal/internal/pipedrive"
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
	set := func(change func(*sim.Options)) func(*sim.Sim) { return func(s *sim.Sim) { s.Set(change) } }
	for name, tt := range map[string]struct {
		world       func(*sim.Sim) // changes the remotes; may be nil
		env         string         // NAME=value
		check       string
		state       doctor.State
		text        string
		alsoChecked string // stays ok
	}{
		"a mistake":                {nil, "GISTDEAL_LEASE=soon", "configuration", doctor.Fail, "is not a duration", "github"},
		"an old name":              {nil, "GISTDEAL_OPEN=1", "configuration", doctor.Fail, "use GISTDEAL_AUTH", "pipedrive"},
		"no key":                   {nil, "PIPEDRIVE_API_KEY=", "configuration", doctor.Fail, "PIPEDRIVE_API_KEY is not set", "github"},
		"a mistaken address":       {nil, "GISTDEAL_ADDR=8050", "configuration", doctor.Fail, "not an address", "disk"},
		"a mistaken database":      {nil, "GISTDEAL_DATABASE_URL=mysql://x", "configuration", doctor.Fail, "GISTDEAL_DATABASE_URL", "github"},
		"a ban by Pipedrive":       {ban("GET /v1/users/me", "html403"), "", "pipedrive", doctor.Fail, "banned this key or address", "github"},
		"a ban by GitHub":          {ban("GET /user", "limit"), "", "github", doctor.Fail, "stop other programs", "pipedrive"},
		"a wrong key":              {set(func(o *sim.Options) { o.Token = "x" }), "", "pipedrive", doctor.Fail, "set PIPEDRIVE_API_KEY", "github"},
		"a wrong token":            {set(func(o *sim.Options) { o.GitHubToken = "x" }), "", "github", doctor.Fail, "set GITHUB_TOKEN", "pipedrive"},
		"a token of an app":        {set(func(o *sim.Options) { o.AppToken = true }), "", "github", doctor.Fail, "personal access token", "pipedrive"},
		"no token":                 {nil, "GITHUB_TOKEN=", "github", doctor.Warn, "60 requests an hour", "pipedrive"},
		"a token with scopes":      {set(func(o *sim.Options) { o.TokenScopes = "repo" }), "", "github", doctor.Warn, "scopes repo", "pipedrive"},
		"a quota that is used up":  {set(func(o *sim.Options) { o.DailyTokens = 45 }), "", "pipedrive_quota", doctor.Warn, "GISTDEAL_QUOTA_RESERVE", "pipedrive"},
		"no permission for deals":  {set(func(o *sim.Options) { o.Cannot = []string{"can_add_deals"} }), "", "permissions", doctor.Fail, "may not add deals", "fields"},
		"no permission for fields": {set(func(o *sim.Options) { o.Cannot = []string{"can_add_custom_fields"} }), "", "fields", doctor.Fail, `"Gist ID" of type Text`, "permissions"},
		"an unreachable Pipedrive": {nil, "PIPEDRIVE_API_URL=http://127.0.0.1:1", "pipedrive", doctor.Fail, "can this machine reach Pipedrive", "github"},
		"an unknown pipeline":      {nil, "GISTDEAL_PIPELINE=Gifts", "pipeline", doctor.Fail, "set GISTDEAL_PIPELINE to one of", "fields"},
		"no database":              {nil, "GISTDEAL_DATABASE_URL=" + notes, "database", doctor.Fail, "not a SQLite database", "pipedrive"},
		"no folder":                {nil, "GISTDEAL_DATABASE_URL=/no/such/x.db", "database", doctor.Fail, "make the folder", "github"},
		"an address in use":        {nil, "GISTDEAL_ADDR=" + strings.TrimPrefix(other.URL, "http://"), "address", doctor.Fail, "in use by another program", "github"},
		"a late clock":             {set(func(o *sim.Options) { o.Now = func() time.Time { return time.Now().Add(time.Minute) } }), "", "clock", doctor.Warn, "NTP", "github"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.world != nil {
				tt.world(w.sim)
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
	want(t, h, "pipeline", doctor.Skip, "skipped: needs company")
	testenv.Must(t, db.Set(t.Context(), gistdeal.KeyCompany, strconv.FormatInt(sim.CompanyID, 10)))
	want(t, w.examine(t), "pipeline", doctor.OK, `the first stage of "Gists"`)
}

// ban makes a remote refuse requests.
func ban(match, kind string) func(*sim.Sim) {
	return func(s *sim.Sim) { s.AddFault(sim.Fault{Match: match, Kind: kind}) }
}

// failures returns the names of the checks that failed.
func failures(h doctor.Health) (names []string) {
	for _, c := range h.Checks {
		if c.State == doctor.Fail {
			names = append(names, c.Name)
		}
	}
	return names
}

func TestOneFaultIsReportedOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env, check string
		skipped    []string
	}{
		"no key":        {"PIPEDRIVE_API_KEY=", "configuration", []string{"pipedrive", "company", "permissions", "fields", "pipeline", "pipedrive_quota"}},
		"no address":    {"GISTDEAL_ADDR=8050", "configuration", []string{"address"}},
		"no database":   {"GISTDEAL_DATABASE_URL=mysql://x", "configuration", []string{"company", "database", "leader", "deals", "disk"}},
		"no folder":     {"GISTDEAL_DATABASE_URL=/no/such/x.db", "database", []string{"leader", "deals", "disk"}},
		"no GitHub URL": {"GITHUB_API_URL=github", "configuration", []string{"github", "github_quota"}},
		"no Pipedrive":  {"PIPEDRIVE_API_URL=http://127.0.0.1:1", "pipedrive", []string{"company", "permissions", "fields", "pipeline", "pipedrive_quota"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			variable, value, _ := strings.Cut(tt.env, "=")
			w.env[variable] = value
			h := w.examine(t)
			if got := failures(h); !slices.Equal(got, []string{tt.check}) {
				t.Errorf("%v failed, want %s alone", got, tt.check)
			}
			for _, name := range tt.skipped {
				want(t, h, name, doctor.Skip, "skipped: needs ")
			}
		})
	}
}

func TestARecordedBanIsReportedWithoutARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	db, err := store.Open(t.Context(), w.env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	defer db.Close()
	text, err := json.Marshal(gistdeal.Quotas{Pushes: gistdeal.Backoff{
		Stage: "connect", Kind: gistdeal.Limited.String(), Reason: pipedrive.Banned + " (403, not JSON)", Until: time.Now().Add(time.Hour),
	}})
	testenv.Must(t, err)
	testenv.Must(t, db.Set(t.Context(), gistdeal.KeyQuotas, string(text)))
	h := w.examine(t)
	want(t, h, "pipedrive", doctor.Fail, "banned this key or address")
	want(t, h, "fields", doctor.Skip, "skipped: needs pipedrive")
	if got := w.sim.Report().Requests["GET /v1/users/me"]; got != 0 {
		t.Errorf("%d requests to Pipedrive prolong the ban", got)
	}
}

// listening returns the address of a program that answers every request with the text.
func listening(t *testing.T, answer func(challenge string) string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			_, _ = io.WriteString(w, answer(r.Header.Get(gistdeal.HeaderChallenge)))
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestOnlyTheGistdealOfThisDatabaseMayListen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	db, err := store.Open(t.Context(), w.env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	defer db.Close()
	identity, err := db.Identity(t.Context())
	testenv.Must(t, err)
	proof := func(identity, status string) func(string) string {
		return func(challenge string) string {
			return fmt.Sprintf(`{"status":%q,"proof":%q}`, status, gistdeal.Proof(identity, challenge))
		}
	}
	for _, tt := range []struct {
		answer func(string) string
		state  doctor.State
		text   string
	}{
		{proof(identity, "ready"), doctor.OK, "the gistdeal of this database"},
		{proof(identity, "stopping"), doctor.Fail, "is not ready: stopping"},
		{proof("another", "ready"), doctor.Fail, "works on another database"},
		{func(string) string { return `{"status":"UP"}` }, doctor.Fail, "in use by another program"},
		{func(challenge string) string { return `{"status":"ready","proof":"` + challenge + `"}` }, doctor.Fail, "in use by another program"},
	} {
		w.env["GISTDEAL_ADDR"] = listening(t, tt.answer)
		want(t, w.examine(t), "address", tt.state, tt.text)
	}
	w.env["GISTDEAL_ADDR"] = listening(t, proof(identity, "ready"))
	w.env["GISTDEAL_DATABASE_URL"] = "/no/such/x.db"
	want(t, w.examine(t), "address", doctor.Fail, "works on another database")
}

func TestReadyTriesAllAddressesOfThisMachine(t *testing.T) {
	t.Parallel()
	addr := listening(t, func(challenge string) string {
		return `{"status":"ready","proof":"` + gistdeal.Proof("x", challenge) + `"}`
	})
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
