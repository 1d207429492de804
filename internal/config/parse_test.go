package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/config"
)

// parse parses an environment with a key, and the variables of env.
func parse(env map[string]string) (config.Config, error) {
	all := map[string]string{"PIPEDRIVE_API_KEY": "secret"}
	for name, value := range env {
		all[name] = value
	}
	return config.Parse(all)
}

func TestAnEnvironmentWithAKeyOnlyHasTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	c, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8050" || c.Database != "gistdeal.db" || c.Auth != config.AuthAuto || c.Backfill != gistdeal.BackfillAll || c.Threshold != 0 ||
		c.ScanInterval != 3*time.Hour || c.RequestWait != 25*time.Second || c.ResendAfter != 10*time.Minute || c.QuotaReserve != 0.4 || len(c.Locked) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"GISTDEAL_ADDR":               "8050",
		"GISTDEAL_SCAN_INTERVAL":      "soon",
		"GISTDEAL_DRAIN":              "-1s",
		"GISTDEAL_BACKFILL":           "2026-02-30",
		"GISTDEAL_APPROVAL_THRESHOLD": "few",
		"GISTDEAL_QUOTA_RESERVE":      "100%",
		"GISTDEAL_PIPEDRIVE_RATE":     "0.5",
		"GISTDEAL_AUTH":               "always",
		"GISTDEAL_TRUSTED_PROXIES":    "10.0.0.7, nginx",
		"GISTDEAL_ADMIN_TOKEN":        "twenty-three-characters",
		"GISTDEAL_LOG":                "xml",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
		"OTEL_EXPORTER_OTLP_HEADERS":  "secret-key",
		"GISTDEAL_SMTP_URL":           "https://ann:secret-password@mail.example",
		"GISTDEAL_SMTP_FROM":          "nobody",
		"GISTDEAL_WEBHOOK_PRIVATE":    "perhaps",
		"GISTDEAL_PUBLIC_URL":         "https://gistdeal.example/path",
		"GITHUB_API_URL":              "github.com",
		"GITHUB_TOKEN":                "two words",
		"GISTDEAL_DATABASE_URL":       "postgres://me:12#x@host/x",
		"GISTDEAL_PORT":               "8050",
		"GISTDEAL_ERASE_KEY":          "too short to be random",
	}
	_, err := parse(wrong)
	mistakes := config.Mistakes(err)
	if len(mistakes) != len(wrong) {
		t.Errorf("%d mistakes, want %d:\n%v", len(mistakes), len(wrong), err)
	}
	for name, value := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s is not reported", name, value)
		}
	}
	if strings.Contains(err.Error(), "two words") || strings.Contains(err.Error(), "twenty") {
		t.Errorf("a secret is shown: %v", err)
	}
	if config.Mistakes(nil) != nil {
		t.Error("mistakes without an error")
	}
}

func TestATrustedProxyIsAnAddressOrANetwork(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", " 10.0.0.7 ,, ::1": "10.0.0.7/32,::1/128", "10.1.2.3/16": "10.1.0.0/16", "::ffff:10.0.0.7": "10.0.0.7/32", "fe80::1%eth0": "fe80::1/128",
	} {
		if c, err := parse(map[string]string{"GISTDEAL_TRUSTED_PROXIES": given}); err != nil || c.Proxies.String() != want {
			t.Errorf("%q is %q, %v; want %q", given, c.Proxies, err, want)
		}
	}
	for _, wrong := range []string{"nginx", "10.0.0.7:80", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.7 10.0.0.8"} {
		if _, err := parse(map[string]string{"GISTDEAL_TRUSTED_PROXIES": wrong}); err == nil || len(config.Mistakes(err)) != 1 {
			t.Errorf("%q: %v, want one mistake", wrong, err)
		}
	}
}

func TestAuthNoneNeedsAPublicURL(t *testing.T) {
	t.Parallel()
	_, err := parse(map[string]string{"GISTDEAL_AUTH": "none"})
	if mistakes := config.Mistakes(err); len(mistakes) != 1 || !strings.Contains(err.Error(), "set it to the address that browsers use") {
		t.Errorf("without one: %v", err)
	}
	_, err = parse(map[string]string{"GISTDEAL_AUTH": "none", "GISTDEAL_PUBLIC_URL": "deals.example"})
	if mistakes := config.Mistakes(err); len(mistakes) != 1 {
		t.Errorf("with a wrong one: %v, want one mistake", err)
	}
}

func TestAWeakAdminTokenIsRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]bool{1: false, 23: false, 24: true, 100: true} {
		_, err := parse(map[string]string{"GISTDEAL_ADMIN_TOKEN": strings.Repeat("x", length)})
		if (err == nil) != want || (err != nil && !strings.Contains(err.Error(), "openssl rand")) {
			t.Errorf("%d characters: %v", length, err)
		}
	}
}

func TestAPushEndsBeforeItsLeaseAndItsResend(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"GISTDEAL_LEASE", "GISTDEAL_RESEND_AFTER"} {
		if _, err := parse(map[string]string{"GISTDEAL_PUSH_TIMEOUT": "5s", name: "5s"}); err == nil || !strings.Contains(err.Error(), "must be less than") {
			t.Errorf("%s as long as a push: %v", name, err)
		}
	}
}

func TestAnOldNameIsAMistakeThatNamesTheNewOne(t *testing.T) {
	t.Parallel()
	for old, hints := range map[string][]string{
		"GISTDEAL_FIRST_SCAN":     {"GISTDEAL_BACKFILL", "new becomes none"},
		"GISTDEAL_FIRST_SCAN_MAX": {"GISTDEAL_APPROVAL_THRESHOLD"},
		"GISTDEAL_ABSENCE":        {"GISTDEAL_RESEND_AFTER"},
		"GISTDEAL_ANSWER_WAIT":    {"GISTDEAL_REQUEST_WAIT"},
		"GISTDEAL_DAY_RESERVE":    {"GISTDEAL_QUOTA_RESERVE"},
		"GISTDEAL_OPEN":           {"GISTDEAL_AUTH", "1 becomes none"},
	} {
		for _, value := range []string{"1", ""} {
			_, err := parse(map[string]string{old: value})
			if mistakes := config.Mistakes(err); len(mistakes) != 1 {
				t.Errorf("%s=%s: %v, want one mistake", old, value, err)
				continue
			}
			for _, hint := range append(hints, old+" ") {
				if !strings.Contains(err.Error(), hint) {
					t.Errorf("%s=%s: %v, want %q", old, value, err, hint)
				}
			}
		}
	}
}

func TestASecretComesFromItsVariableOrAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(map[string]string{"PIPEDRIVE_TOKEN_FILE": file, "GITHUB_AT": "one", "GITHUB_TOKEN": "two"})
	if err != nil || c.PipedriveKey != "from-the-file" || c.GitHubToken != "one" {
		t.Errorf("key %q, token %q, %v", string(c.PipedriveKey), string(c.GitHubToken), err)
	}
	if text := c.PipedriveKey.String(); strings.Contains(text, "from") {
		t.Errorf("the secret is shown as %q", text)
	}
	if _, err := config.Parse(map[string]string{"PIPEDRIVE_API_KEY": "x", "PIPEDRIVE_API_KEY_FILE": file}); err == nil || errors.Is(err, config.ErrNoKey) {
		t.Errorf("a variable and a file: %v, want that one is too many", err)
	}
}

func TestAVariableLocksItsSetting(t *testing.T) {
	t.Parallel()
	c, err := parse(map[string]string{"GISTDEAL_BACKFILL": "2026-01-31", "GISTDEAL_OWNER": "Ann"})
	if err != nil || c.Backfill != "2026-01-31" || c.Locked[gistdeal.SettingBackfill] != "GISTDEAL_BACKFILL" || c.Locked[gistdeal.SettingOwner] != "GISTDEAL_OWNER" || len(c.Locked) != 2 {
		t.Errorf("%+v, %v", c.Locked, err)
	}
}

func TestAnOriginIsWrittenAsBrowsersWriteIt(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://Gistdeal.example:443/": "https://gistdeal.example", "http://x.example:80": "http://x.example", "https://x.example:8443": "https://x.example:8443",
	} {
		if c, err := parse(map[string]string{"GISTDEAL_PUBLIC_URL": given}); err != nil || c.PublicURL != want {
			t.Errorf("%s is %q, %v; want %q", given, c.PublicURL, err, want)
		}
	}
}
