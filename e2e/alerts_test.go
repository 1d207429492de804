package e2e_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gistdeal/internal/testing/testenv"
)

const alerts = "../docs/alerts.yml"

func TestTheAlertsAreValidPrometheusRules(t *testing.T) {
	t.Parallel()
	promtool := testenv.Program(t, "promtool")
	for _, args := range [][]string{{"check", "rules", alerts}, {"test", "rules", "testdata/alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

func TestTheAlertsUseExistingMetrics(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile(alerts)
	testenv.Must(t, err)
	wantMetrics(t, string(rules))
}

func TestEachAlertIsInTheManual(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile(alerts)
	testenv.Must(t, err)
	manual, err := os.ReadFile("../docs/operations.md")
	testenv.Must(t, err)
	all := func(pattern string, text []byte) (names []string) {
		for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
		return names
	}
	there := all(`(?m)^ *- alert: (\w+)$`, rules)
	if sections := all(`(?m)^### (Gistdeal\w+)$`, manual); len(there) == 0 || !slices.Equal(sections, there) {
		t.Errorf("the manual has sections for %v, the rules are %v", sections, there)
	}
	anchors := strings.Fields(strings.ToLower(strings.Join(there, " ")))
	if links := all(`(?m)^ *manual: docs/operations\.md#(\w+)$`, rules); !slices.Equal(links, anchors) {
		t.Errorf("the rules lead to %v, want the section of each", links)
	}
	for _, name := range all(`\b(Gistdeal[A-Z]\w+)`, manual) {
		if !slices.Contains(there, name) {
			t.Errorf("the manual names %s, which is no alert", name)
		}
	}
}
