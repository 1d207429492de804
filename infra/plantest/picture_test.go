package plantest_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestThePictureShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/infra/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	there := map[string]bool{}
	for _, name := range files {
		for _, m := range regexp.MustCompile(`(?m)^resource "(\w+)" "(\w+)"`).FindAllStringSubmatch(text(t, "infra/"+filepath.Base(name)), -1) {
			there[m[1]+"."+m[2]] = true
		}
	}
	_, picture, _ := strings.Cut(text(t, "docs/infrastructure.md"), "```mermaid")
	shown := regexp.MustCompile(`aws_\w+\.\w+`).FindAllString(picture, -1)
	if len(shown) < 15 {
		t.Errorf("the picture shows %d resources", len(shown))
	}
	for _, address := range shown {
		if !there[address] {
			t.Errorf("there is no %s", address)
		}
	}
}
