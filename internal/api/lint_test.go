package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gistdeal/internal/testing/testenv"
)

// linters is the folder with the exact versions of the linters.
const linters = "document/testdata"

func TestThreeLintersAcceptTheDocument(t *testing.T) {
	t.Parallel()
	node := testenv.Node(t, linters)
	text := newIdleWorld(t).send("GET", "/openapi.json", "").body
	path := filepath.Join(t.TempDir(), "openapi.json")
	testenv.Must(t, os.WriteFile(path, []byte(text), 0o644))
	run := func(t *testing.T, script string, args ...string) []byte {
		t.Helper()
		linter := exec.CommandContext(t.Context(), node, append([]string{filepath.Join("node_modules", script)}, args...)...)
		linter.Dir = linters
		linter.Env = append(linter.Environ(), "NO_COLOR=1", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
		out, _ := linter.Output() // The status says no more than the results do.
		return out
	}
	t.Run("Spectral", func(t *testing.T) {
		t.Parallel()
		out := run(t, "@stoplight/spectral-cli/dist/index.js", "lint", "-r", "spectral.json", "-f", "json", "-q", path)
		var results []struct {
			Code, Message string
			Severity      int
		}
		decode(t, out, &results)
		warnings := 0
		for _, r := range results {
			if warnings++; r.Severity == 0 || warnings >= 10 {
				t.Errorf("%s: %s", r.Code, r.Message)
			}
		}
	})
	t.Run("Redocly", func(t *testing.T) {
		t.Parallel()
		out := run(t, "@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "json", path)
		var report struct {
			Totals   struct{ Errors int }
			Problems []struct{ RuleID, Message string }
		}
		decode(t, out, &report)
		if report.Totals.Errors > 0 {
			t.Errorf("%+v", report.Problems)
		}
	})
	t.Run("IBM", func(t *testing.T) {
		t.Parallel()
		out := run(t, "ibm-openapi-validator/src/cli-validator/index.js", "-q", "-r", "default", "-j", path)
		var report struct {
			ImpactScore struct {
				CategorizedSummary map[string]float64
			}
		}
		decode(t, out, &report)
		scores := report.ImpactScore.CategorizedSummary
		if t.Logf("%v", scores); scores["overall"] < 70 {
			t.Errorf("the mean score is %v, want at least 70: %v", scores["overall"], scores)
		}
	})
}

// decode decodes the report of a linter, which may follow other lines.
func decode(t *testing.T, out []byte, report any) {
	t.Helper()
	if begin := bytes.IndexAny(out, "{["); begin > 0 {
		out = out[begin:]
	}
	if err := json.Unmarshal(out, report); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
}
