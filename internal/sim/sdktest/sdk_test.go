package sdktest_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestPipedrivesOwnClientWorksWithTheSimulator(t *testing.T) {
	t.Parallel()
	_, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
	runScript(t, "pipedrive.js", url)
}

func TestGitHubsOwnClientWorksWithTheSimulator(t *testing.T) {
	t.Parallel()
	s, url := testenv.Simulate(t, sim.Options{Seed: 1})
	s.MakeGists("octocat", 250)
	runScript(t, "octokit.js", url)
}

// runScript runs a script of testdata. Each line that the script prints is a failure.
func runScript(t *testing.T, name, url string) {
	t.Helper()
	node := testenv.Node(t, "testdata")
	script := exec.CommandContext(t.Context(), node, name, url)
	script.Dir = "testdata"
	// A proxy must not see the requests to the simulator.
	script.Env = append(script.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	var failures, crash bytes.Buffer
	script.Stdout, script.Stderr = &failures, &crash
	err := script.Run()
	for line := range strings.Lines(failures.String()) {
		t.Error(strings.TrimSpace(line))
	}
	if err != nil && failures.Len() == 0 {
		t.Errorf("node %s: %v\n%s", name, err, &crash)
	}
}
