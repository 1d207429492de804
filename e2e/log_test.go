package e2e_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestTheLogOfAStartAndAStop(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{})
	env["GISTDEAL_SCAN_INTERVAL"] = "1h"
	for _, schemaBefore := range []float64{0, 1} {
		p := start(t, env)
		p.signal(syscall.SIGTERM)
		noSecret(t, p)
		lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
		var starting struct {
			Msg           string
			Version       string
			Go            string `json:"go_version"`
			Configuration map[string]string
		}
		testenv.Must(t, json.Unmarshal([]byte(lines[0]), &starting))
		set := starting.Configuration
		if starting.Msg != "starting" || starting.Version == "" || starting.Go != runtime.Version() {
			t.Errorf("the first line is %s", lines[0])
		}
		if set["GISTDEAL_SCAN_INTERVAL"] != "1h0m0s" || set["PIPEDRIVE_API_KEY"] != "(set, hidden)" || len(set) != len(env) {
			t.Errorf("the configuration is %v, want the variables that are set: %v", set, env)
		}
		var opened map[string]any
		testenv.Must(t, json.Unmarshal([]byte(lines[1]), &opened))
		if opened["msg"] != "database opened" || opened["schema_before"] != schemaBefore || opened["schema"] != 1.0 {
			t.Errorf("the second line is %s, want schema %v", lines[1], schemaBefore)
		}
		if last := lines[len(lines)-1]; !strings.Contains(last, `"msg":"stopped"`) {
			t.Errorf("the last line is %s", last)
		}
	}
}
