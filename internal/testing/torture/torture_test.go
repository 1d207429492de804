package torture_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
	"gistdeal/internal/testing/torture"
)

// program is the real program with fail points, and harness is the command that runs
// it. Both are built once, without the race detector: with it the simulators and
// SQLite are slower than the program's short timeouts. dir is the folder for the
// files of all runs.
var program, harness, dir string

func TestMain(m *testing.M) {
	// More tests in parallel than there are processors, because they mostly wait; with
	// many more, a busy machine hits the moments of mutants seldom.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(testenv.Main(m, torture.TempDir, build))
}

func build(folder string) (err error) {
	dir = folder
	if program, err = torture.Build(context.Background(), dir); err != nil {
		return err
	}
	harness, err = testenv.Build(context.Background(), dir, "gistdeal/cmd/torture")
	return err
}

// exit statuses of the harness
const (
	passed   = 0
	detected = 3
)

// run runs the harness with the arguments and checks its exit status.
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

func TestEachGistGetsOneDealThroughKillsAtEveryStep(t *testing.T) {
	t.Parallel()
	run(t, passed, "-points", "150", "-worlds", "10", "-partial")
}

func TestThreeProcessesOnOnePostgreSQLCreateOneDealForEachGist(t *testing.T) {
	t.Parallel()
	pgtest.URL(t) // Skips without PostgreSQL.
	run(t, passed, "-postgres", "-points", "8", "-worlds", "1", "-partial")
}

func TestEveryEventReachesItsWebhooksThroughKillsAndReceiversThatFail(t *testing.T) {
	t.Parallel()
	run(t, passed, "-outbox", "-points", "12", "-worlds", "1", "-partial")
}

// Each mutant must be detected.
func TestTheHarnessDetectsMutants(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"sent again without a lookup":            "-break no-lookup",
		"claimed after the send":                 "-break late-claim -latency 1ms -then kept -steps answered -absence 6s -list-delay 5s",
		"archived deals are not listed":          "-break no-archived -then lost",
		"two workers, and no fence between them": "-break no-lease,no-fence -then kept -processes 2 -steps not_found,reclaimed -absence 1s -list-delay 700ms",
		"deals show later than they must":        "-then kept -list-delay 2s",
		"nothing is synced to the disk":          "-break no-sync",
		"lookups begin by the wall clock":        "-break wall-clock -then kept -steps not_found,reclaimed",
		"no catch-up after commits were lost":    "-break one-catch-up -then kept -postgres -processes 1",
		"a message counts before it is sent":     "-outbox -break early-record -points 6",
		"each attempt has an id of its own":      "-outbox -break new-ids -points 6",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(args, "-postgres") {
				pgtest.URL(t) // Skips without PostgreSQL.
			}
			run(t, detected, append([]string{"-points", "300", "-worlds", "2"}, strings.Fields(args)...)...)
		})
	}
}
