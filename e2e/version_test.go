package e2e_test

import (
	"strings"
	"testing"
)

func TestTheVersionIsAFlagToo(t *testing.T) {
	t.Parallel()
	_, want := launch(t, nil, "version").exit()
	for _, flag := range []string{"--version", "-v"} {
		if status, out := launch(t, nil, flag).exit(); status != 0 || out != want || !strings.HasPrefix(out, "gistdeal ") {
			t.Errorf("%s: exit status %d, %q, want %q", flag, status, out, want)
		}
	}
}

func TestAMistypedCommandOrFlagIsAnErrorThatSuggestsTheRightOne(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"usres list":            `"users"`,
		"users lits":            `"list"`,
		"doctor --jsn":          `"--json"`,
		"deals retry --stat=no": `"--state"`,
		"--verson":              `"--version"`,
	} {
		status, out := launch(t, nil, strings.Fields(line)...).exit()
		if status != 80 || !strings.Contains(out, "did you mean "+want+"?") {
			t.Errorf("%s: exit status %d, %q, want the suggestion %s", line, status, out, want)
		}
	}
}
