package torture_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gistdeal/internal/torture"
)

// program is the real program with its fail points, and harness the command
// that runs it. Both are built once, and without the race detector: it would
// make the simulators and SQLite so slow that the program's short times pass.
// dir is for the files of all runs.
var program, harness, dir string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	var err error
	dir, err = torture.TempDir()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, err = torture.Build(context.Background(), dir)
	harness = filepath.Join(dir, "torture")
	build := exec.Command("go", "build", "-o", harness, "gistdeal/cmd/torture")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, buildErr := build.CombinedOutput(); err != nil || buildErr != nil {
		fmt.Fprintf(os.Stderr, "build: %v %v\n%s", err, buildErr, out)
		return 1
	}
	return m.Run()
}

// exit statuses of the harness
const (
	held   = 0
	broken = 3
)

// run lets the harness run with such arguments, to end with that status.
func run(t *testing.T, want int, args ...string) {
	t.Helper()
	own, err := os.MkdirTemp(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-program", program, "-dir", own, "-seed", "1"}, args...)
	out, err := exec.CommandContext(t.Context(), harness, args...).CombinedOutput()
	status := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status, err = exit.ExitCode(), nil
	}
	if err != nil || status != want {
		t.Errorf("exit status %d (%v), want %d\n%s", status, err, want, out)
	}
	t.Logf("%s", out)
}

func TestEachGistGetsOneDealWhateverDiesWhen(t *testing.T) {
	t.Parallel()
	run(t, held, "-points", "300", "-worlds", "10")
}

func TestAProcessTakesOverFromAnother(t *testing.T) {
	t.Parallel()
	run(t, held, "-points", "25", "-processes", "2", "-partial")
}

func TestOneDealForEachGistHoldsWithoutALease(t *testing.T) {
	t.Parallel()
	run(t, held, "-points", "25", "-processes", "2", "-partial", "-break", "no-lease")
}

// What the harness is for: each rule, once broken, shows.
func TestTheHarnessSeesABrokenRule(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"sent again without a look":              {"-break", "no-look"},
		"claimed after the send":                 {"-break", "late-claim", "-steps", "sent,answered", "-list-delay", "400ms"},
		"archived deals are not listed":          {"-break", "no-archived"},
		"two workers, and no fence between them": {"-break", "no-lease,no-fence", "-processes", "2", "-steps", "looked,absent,reclaimed", "-latency", "150ms"},
		"deals show later than they must":        {"-list-delay", "2s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, broken, append(args, "-points", "300", "-worlds", "4")...)
		})
	}
}
