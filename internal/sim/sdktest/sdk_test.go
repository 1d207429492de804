package sdktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
	node := testenv.Program(t, "node", "nodejs")
	testenv.Program(t, "npm")
	err := install()
	if errors.Is(err, errNoRegistry) {
		testenv.SkipIf(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), node, name, url)
	script.Dir = "testdata"
	// A proxy must not see the requests to the simulator.
	script.Env = append(script.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	var failures, crash bytes.Buffer
	script.Stdout, script.Stderr = &failures, &crash
	err = script.Run()
	for line := range strings.Lines(failures.String()) {
		t.Error(strings.TrimSpace(line))
	}
	if err != nil && failures.Len() == 0 {
		t.Errorf("node %s: %v\n%s", name, err, &crash)
	}
}

// errNoRegistry is the only reason to skip a test for which npm is installed.
var errNoRegistry = errors.New("the clients are not installed, and npm's registry cannot be reached")

// install installs the exact versions of package-lock.json into
// testdata/node_modules, unless an earlier run has done so. Both tests call it.
var install = sync.OnceValue(func() error {
	lock, err := os.ReadFile(filepath.Join("testdata", "package-lock.json"))
	if err != nil {
		return err
	}
	// The copy is written last, so a folder without it is incomplete.
	installed := filepath.Join("testdata", "node_modules", "installed.json")
	if done, err := os.ReadFile(installed); err == nil && bytes.Equal(done, lock) {
		return nil
	}
	if out, err := npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"); err != nil {
		if _, err := npm("view", "octokit", "version", "--fetch-retries=0"); err != nil {
			return errNoRegistry
		}
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(installed, lock, 0o644)
})

func npm(args ...string) (output []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "npm", args...)
	command.Dir = "testdata"
	return command.CombinedOutput()
}
