package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gistdeal/internal/config"
)

func TestAnInvalidKeyIsNotAlsoReportedAsMissing(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"a space in it":       {"PIPEDRIVE_API_KEY": "se cret"},
		"by its other name":   {"PIPEDRIVE_TOKEN": "se cret"},
		"a file that is away": {"PIPEDRIVE_API_KEY_FILE": "/no/such/file"},
		"an empty file":       {"PIPEDRIVE_API_KEY_FILE": empty},
	} {
		_, err := config.Parse(env)
		if mistakes := config.Mistakes(err); len(mistakes) != 1 || errors.Is(err, config.ErrNoKey) {
			t.Errorf("%s: %v, want one mistake other than a missing key", name, err)
		}
	}
	if _, err := config.Parse(nil); !errors.Is(err, config.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
}

func TestAPrintedConfigurationCanBeReadBack(t *testing.T) {
	t.Parallel()
	for _, env := range []map[string]string{
		{"PIPEDRIVE_API_KEY": "secret"},
		{
			"PIPEDRIVE_API_KEY": "secret", "GISTDEAL_AUTH": "none", "GISTDEAL_PUBLIC_URL": "https://deals.example", "GISTDEAL_TRUSTED_PROXIES": "10.0.0.7, 10.1.2.3/16, ::1", "GISTDEAL_PIPELINE": "Gists", "GISTDEAL_PIPEDRIVE_RATE": "2.5",
			"GISTDEAL_QUOTA_RESERVE": "12.5", "GISTDEAL_LOG": "json", "GISTDEAL_APPROVAL_THRESHOLD": "50", "GISTDEAL_DRAIN": "90s",
		},
	} {
		first, err := config.Parse(env)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := first.Print(&out); err != nil {
			t.Fatal(err)
		}
		again := map[string]string{"PIPEDRIVE_API_KEY": "secret"}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "# ") {
				continue
			}
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			if again[name] = value; value == "" {
				t.Errorf("%s is printed without a value", name)
			}
		}
		second, err := config.Parse(again)
		if diff := cmp.Diff(first, second, cmpopts.IgnoreUnexported(config.Config{})); diff != "" || err != nil {
			t.Errorf("error %v, differences: %s\n%s", err, diff, &out)
		}
	}
}
