package boottest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestThePictureShowsTheStepsOfTheScript(t *testing.T) {
	t.Parallel()
	steps := firsts(t, "../startup.sh.tftpl", `(?m)^step '(\w+)'$`)
	chain := firsts(t, "../../docs/startup.dot", `(?m)^  (\w+(?: -> \w+){2,})$`)
	if len(steps) == 0 || !slices.Equal(chain, []string{strings.Join(append(slices.Clone(steps), "done"), " -> ")}) {
		t.Errorf("the script has the steps %q, docs/startup.dot shows %q", steps, chain)
	}
	// Nothing that follows the container keeps a machine out.
	failing := firsts(t, "../../docs/startup.dot", `(?m)^  (\w+) -> failed `)
	if want := steps[:slices.Index(steps, "container")+1]; !slices.Equal(failing, want) {
		t.Errorf("docs/startup.dot has %q fail, the script %q", failing, want)
	}
}

// firsts returns the matches of the pattern's group in a file, in order.
func firsts(t *testing.T, name, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		all = append(all, match[1])
	}
	return all
}
