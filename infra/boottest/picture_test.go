package boottest

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

func TestThePictureShowsTheStepsOfTheScript(t *testing.T) {
	t.Parallel()
	steps := firsts(t, "../startup.sh.tftpl", `(?m)^step '(\w+)'$`)
	boxes := firsts(t, "../../docs/startup.dot", `(?m)^  (\w+) \[label="\w+\\n[^"]*"\]$`)
	if len(steps) == 0 || !slices.Equal(steps, boxes) {
		t.Errorf("the script has the steps %q, the picture shows %q", steps, boxes)
	}
	arrows := firsts(t, "../../docs/startup.dot", `(?m)^  \w+ -> (\w+)$`)
	if want := append(slices.Clone(steps[1:]), "done"); !slices.Equal(arrows, want) {
		t.Errorf("the picture goes on to %q, the script to %q", arrows, want)
	}
}

// firsts returns what the pattern's group finds in a file, in its order.
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
