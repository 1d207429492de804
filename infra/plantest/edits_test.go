package plantest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// edit is a possible mistake and the test that must notice it.
type edit struct {
	file     string
	old, new string
	by       string // a file of infra/tests, or "waits" for the check of references in unwired
	says     string // part of the message
}

// TestNoPromiseCanBeBrokenUnnoticed makes one mistake at a time, and the run that
// holds the promise must fail with its message. Terraform evaluates assertions
// of a valid configuration only, so an edit that breaks the syntax fails the test.
func TestNoPromiseCanBeBrokenUnnoticed(t *testing.T) {
	t.Parallel()
	for i, e := range slices.Concat(editsOfTheWay, editsOfTheRest) {
		t.Run(fmt.Sprintf("%02d %s %s", i, e.file, e.says), func(t *testing.T) {
			t.Parallel()
			f := offline.Copy(t)
			text := f.Read(e.file)
			if !strings.Contains(text, e.old) {
				t.Fatalf("%s does not contain %q: the edit is out of date", e.file, e.old)
			}
			f.Write(e.file, strings.Replace(text, e.old, e.new, 1))
			if output, ok := check(t, f, e); ok || !strings.Contains(output, e.says) {
				t.Errorf("%q became %q; want the message %q, got:\n%s", e.old, e.new, e.says, output)
			}
		})
	}
}

// check returns the output, in one line, of the test that covers an edit, and
// whether the test accepts the configuration.
func check(t *testing.T, f offline.Folder, e edit) (output string, ok bool) {
	t.Helper()
	if e.by == "waits" {
		p := planned(t, f.In("root").With(installation...).With(secrets...))
		problems := append(unwired(p), untagged(p)...)
		return strings.Join(problems, " "), len(problems) == 0
	}
	file := "tests/" + e.by + ".tftest.hcl"
	f.Write(file, only(t, f.Read(file), e.says))
	output, ok = f.Run("test", "-no-color", "-filter="+file)
	if !ok && !strings.Contains(output, "Error: Test assertion failed") && !strings.Contains(output, "Error: Missing expected failure") {
		t.Fatalf("Terraform did not evaluate an assertion:\n%s", output)
	}
	// Terraform breaks lines and prints a bar before each line of an error.
	return strings.Join(strings.Fields(strings.ReplaceAll(output, "\u2502", " ")), " "), ok
}

// only returns a test file without the runs that do not contain a message: each
// run is a plan, and takes most of a second.
func only(t *testing.T, text, message string) string {
	t.Helper()
	head, rest, _ := strings.Cut(text, "\nrun ")
	kept := head
	for run := range strings.SplitSeq(rest, "\nrun ") {
		if strings.Contains(run, message) {
			kept += "\nrun " + run
		}
	}
	if kept == head {
		t.Fatalf("no run contains %q: the edit is out of date", message)
	}
	return kept
}
