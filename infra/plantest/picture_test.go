package plantest_test

import (
	"html"
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
	shown := regexp.MustCompile(`aws_\w+\.\w+`).FindAllString(text(t, "docs/infrastructure.dot"), -1)
	if len(shown) < 15 {
		t.Errorf("the picture shows %d resources", len(shown))
	}
	for _, address := range shown {
		if !there[address] {
			t.Errorf("there is no %s", address)
		}
	}
}

func TestThePicturesAreDrawnFromTheirTexts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"infrastructure", "startup"} {
		drawn := html.UnescapeString(text(t, "docs/"+name+".svg"))
		written := text(t, "docs/"+name+".dot")
		labels := regexp.MustCompile(`label="([^"]+)"`).FindAllStringSubmatch(written, -1)
		lines := 0
		for _, label := range labels {
			for _, line := range strings.Split(label[1], `\n`) {
				lines++
				if !strings.Contains(drawn, ">"+line+"</text>") {
					t.Errorf("docs/%s.svg has no %q: make pictures", name, line)
				}
			}
		}
		if got := strings.Count(drawn, "</text>"); got != lines || lines == 0 {
			t.Errorf("docs/%s.svg has %d lines of text, its text %d: make pictures", name, got, lines)
		}
		arrows := regexp.MustCompile(`(?m)^  (\w+) -> (\w+)`).FindAllStringSubmatch(written, -1)
		for _, arrow := range arrows {
			if !strings.Contains(drawn, "<title>"+arrow[1]+"->"+arrow[2]+"</title>") {
				t.Errorf("docs/%s.svg has no arrow from %s to %s: make pictures", name, arrow[1], arrow[2])
			}
		}
	}
}
