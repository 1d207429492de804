package plantest_test

import (
	"html"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestThePictureShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	there := resources(t)
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

// Boxes, arrows and words; where they stand is the renderer's business.
func TestThePicturesAreDrawnFromTheirTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/docs/*.dot")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	for _, name := range files {
		name = strings.TrimSuffix(filepath.Base(name), ".dot")
		written, drawn := ofText(text(t, "docs/"+name+".dot")), ofPicture(text(t, "docs/"+name+".svg"))
		if len(written) < 20 || !slices.Equal(written, drawn) {
			t.Errorf("make pictures: docs/%s.svg has\n%q, and its text\n%q", name, drawn, written)
		}
	}
}

// ofText returns the names in a Graphviz text.
func ofText(source string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^ *(\w+) \[label=`).FindAllStringSubmatch(source, -1) {
		all = append(all, "box "+m[1])
	}
	for _, m := range regexp.MustCompile(`label="([^"]*)"`).FindAllStringSubmatch(source, -1) {
		all = append(all, strings.Split(m[1], `\n`)...)
	}
	for _, chain := range regexp.MustCompile(`(?m)^ *(\w+(?: -> \w+)+)`).FindAllStringSubmatch(source, -1) {
		boxes := strings.Split(chain[1], " -> ")
		for i := range boxes[1:] {
			all = append(all, boxes[i]+"->"+boxes[i+1])
		}
	}
	slices.Sort(all)
	return all
}

// ofPicture returns the names in an SVG of Graphviz.
func ofPicture(svg string) (all []string) {
	for _, m := range regexp.MustCompile(`class="(node|edge)">\n<title>(.*)</title>`).FindAllStringSubmatch(svg, -1) {
		name := html.UnescapeString(m[2])
		if m[1] == "node" {
			name = "box " + name
		}
		all = append(all, name)
	}
	for _, m := range regexp.MustCompile(`<text [^>]*>(.*)</text>`).FindAllStringSubmatch(svg, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	slices.Sort(all)
	return all
}

// resources are the addresses of all resources that infra/ has.
func resources(t *testing.T) map[string]bool {
	t.Helper()
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
	return there
}
