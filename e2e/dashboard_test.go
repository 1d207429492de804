package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"gistdeal/internal/testing/testenv"
)

// loadDashboard reads the dashboard with Grafana's own types, which refuse unknown
// fields, and returns its panels without the rows.
func loadDashboard(t *testing.T) []dashboard.Panel {
	t.Helper()
	types := cog.NewRuntime()
	types.RegisterPanelcfgVariant(stat.VariantConfig())
	types.RegisterPanelcfgVariant(timeseries.VariantConfig())
	types.RegisterDataqueryVariant(prometheus.VariantConfig())
	text, err := os.ReadFile("../contrib/grafana/gistdeal.json")
	testenv.Must(t, err)
	var strict, d dashboard.Dashboard //nolint:staticcheck // Its successor needs the newest Grafana.
	testenv.Must(t, json.Unmarshal(text, &d))
	for _, err := range []error{strict.UnmarshalJSONStrict(text), d.Validate()} {
		if err != nil && err.Error() != "" { // Without a mistake it is an empty list.
			t.Fatal(err)
		}
	}
	var panels []dashboard.Panel
	for _, p := range d.Panels {
		if p.Panel != nil {
			panels = append(panels, *p.Panel)
		}
	}
	if len(panels) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	return panels
}

// expressions returns the queries of panels, with Grafana's variables replaced.
func expressions(t *testing.T, panels []dashboard.Panel) (all []string) {
	t.Helper()
	for _, p := range panels {
		if len(p.Targets) == 0 {
			t.Errorf("the panel %q has no query", *p.Title)
		}
		for _, target := range p.Targets {
			query, ok := target.(*prometheus.Dataquery)
			if !ok || query.Expr == "" {
				t.Fatalf("the panel %q has a query of type %T", *p.Title, target)
			}
			all = append(all, strings.NewReplacer("$__rate_interval", "5m", "$job", ".*").Replace(query.Expr))
		}
	}
	return all
}

func TestTheDashboardLoadsAndItsPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	ids, cells := map[uint32]bool{}, map[[2]uint32]string{}
	panels := loadDashboard(t)
	expressions(t, panels)
	for _, p := range panels {
		if p.Datasource == nil || *p.Datasource.Uid != "${datasource}" || ids[*p.Id] {
			t.Errorf("the panel %q has no data source that can be chosen, or an id twice", *p.Title)
		}
		ids[*p.Id] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]uint32{x, y}]; other != "" || x >= 24 {
					t.Errorf("the panel %q overlaps %q or the edge", *p.Title, other)
				}
				cells[[2]uint32{x, y}] = *p.Title
			}
		}
	}
}

func TestTheQueriesOfTheDashboardAreValid(t *testing.T) {
	t.Parallel()
	promtool := testenv.Program(t, "promtool")
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for i, e := range expressions(t, loadDashboard(t)) {
		rules = append(rules, rule{fmt.Sprintf("query_%d", i), e})
	}
	// JSON is YAML.
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	testenv.Must(t, err)
	file := filepath.Join(t.TempDir(), "rules.yml")
	testenv.Must(t, os.WriteFile(file, text, 0o600))
	if out, err := exec.Command(promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestTheMetricsOfTheDashboardExist(t *testing.T) {
	t.Parallel()
	wantMetrics(t, strings.Join(expressions(t, loadDashboard(t)), "\n"))
}

// wantMetrics checks that all metrics that a text names are in the output of /metrics.
func wantMetrics(t *testing.T, text string) {
	t.Helper()
	names := regexp.MustCompile(`\b(gistdeal|process|go)_[a-z_]+`).FindAllString(text, -1)
	if len(names) == 0 {
		t.Fatal("the text names no metric")
	}
	metrics := allMetrics(t)
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(metrics) {
			t.Errorf("/metrics does not contain %s", name)
		}
	}
}
