package gistdeal_test

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// maxReadme is the limit of words in the README; other texts belong into docs/.
const maxReadme = 1600

func TestTheReadmeIsShortAndSaysHowToTryIt(t *testing.T) {
	t.Parallel()
	text := readText(t, "README.md")
	if n := len(strings.Fields(text)); n > maxReadme {
		t.Errorf("README.md has %d words, want at most %d", n, maxReadme)
	}
	for _, command := range []string{"make demo", "make test"} {
		if !strings.Contains(text, command) {
			t.Errorf("README.md does not name %q", command)
		}
	}
}

func TestEveryPageIsInItsIndex(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"docs", "docs/decisions"} {
		index := readText(t, dir+"/README.md")
		pages, err := filepath.Glob(dir + "/*.md")
		if err != nil || len(pages) < 2 {
			t.Fatalf("%s: %d pages, %v", dir, len(pages), err)
		}
		for _, page := range pages {
			if name := filepath.Base(page); name != "README.md" && !strings.Contains(index, "]("+name+")") {
				t.Errorf("%s/README.md does not list %s", dir, name)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, name := range append(documents(t), "infra/README.md") {
		if filepath.Ext(name) != ".md" {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(prose(readText(t, name)), -1) {
			file, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, ":") {
				continue // on another site
			}
			target := name
			if file != "" {
				target = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: there is no %s", name, match[1], target)
			} else if heading != "" && !slices.Contains(anchors(readText(t, target)), heading) {
				t.Errorf("%s links to %s: %s has no such heading", name, match[1], target)
			}
		}
	}
}

// prose returns a document without its code blocks.
func prose(text string) string {
	return regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(text, "")
}

// anchors returns the anchors that GitHub gives to the headings of a document.
func anchors(text string) []string {
	var names []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ +(.*)$`).FindAllStringSubmatch(prose(text), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, heading[1]))
	}
	return names
}

var variable = regexp.MustCompile(`^(?:GISTDEAL|GITHUB|PIPEDRIVE)_[A-Z_]+$`)

func TestEveryVariableIsInTheManualWithItsDefault(t *testing.T) {
	t.Parallel()
	manual := readText(t, "docs/configuration.md")
	known := defaults(t)
	if len(known) == 0 {
		t.Fatal("the configuration reads no variable")
	}
	for name, standard := range known {
		row := regexp.MustCompile("(?m)^\\|[^|]*`" + name + "`[^|]*\\|([^|]*)\\|").FindStringSubmatch(manual)
		switch {
		case row == nil:
			t.Errorf("docs/configuration.md does not list %s", name)
		case standard != "" && !strings.Contains(row[1], "`"+standard+"`"):
			t.Errorf("docs/configuration.md: the default of %s is %s, want `%s`", name, strings.TrimSpace(row[1]), standard)
		}
	}
}

// defaults are the variables that the configuration reads, each with its default
// as a person writes it, or "" if the code has no constant there.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	known := map[string]string{}
	for _, file := range sources(t) {
		if file.test || !slices.Contains([]string{"internal/app", "internal/config"}, filepath.Dir(file.name)) {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !variable.MatchString(constant(call.Args[0])) {
				return true
			}
			known[constant(call.Args[0])] = ""
			if len(call.Args) == 1 {
				return true
			}
			if other := constant(call.Args[1]); variable.MatchString(other) {
				known[other] = "" // another name of the same variable
			} else {
				known[constant(call.Args[0])] = written(call.Args[1])
			}
			return true
		})
	}
	return known
}

var units = map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}

// written returns a constant in the form of a variable's value.
func written(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.INT && e.Value == "0" {
			return "0s"
		}
		return constant(e)
	case *ast.SelectorExpr:
		if unit := units[e.Sel.Name]; unit != 0 {
			return short(unit)
		}
	case *ast.BinaryExpr:
		factor, ok := e.X.(*ast.BasicLit)
		unit, isUnit := e.Y.(*ast.SelectorExpr)
		if ok && isUnit {
			if n, err := time.ParseDuration(factor.Value + "ns"); err == nil {
				return short(n * units[unit.Sel.Name])
			}
		}
	}
	return ""
}

// short returns a duration without the parts that are zero.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// code matches paths in backticks.
var code = regexp.MustCompile("`((?:client|cmd|contrib|docs|e2e|infra|internal|scripts)(?:/[\\w.*-]+)*)/?`")

// Decision records are left out, because they describe the past.
func TestDocumentsNameOnlyExistingPlaces(t *testing.T) {
	t.Parallel()
	for _, name := range documents(t) {
		if filepath.Dir(name) == "docs/decisions" {
			continue
		}
		for _, mention := range code.FindAllStringSubmatch(readText(t, name), -1) {
			if matched, err := filepath.Glob(mention[1]); err != nil || len(matched) == 0 {
				t.Errorf("%s: there is no %s", name, mention[1])
			}
		}
	}
}

func TestTheArchitectureListsEveryPackage(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(readText(t, "docs/architecture.md"), "\n## Packages\n")
	var listed []string
	for _, mention := range code.FindAllStringSubmatch(table, -1) {
		listed = append(listed, mention[1])
	}
	for _, file := range sources(t) {
		dir := filepath.Dir(file.name)
		if file.test || dir == "." || strings.HasPrefix(dir, "infra/") {
			continue
		}
		if !slices.ContainsFunc(listed, func(at string) bool { return dir == at || strings.HasPrefix(dir, at+"/") }) {
			t.Errorf("docs/architecture.md does not list %s", dir)
			listed = append(listed, dir) // each folder once
		}
	}
}

var benchmark = regexp.MustCompile(`(?m)^go test .*-bench (\w+) .*\./(\S+)$`)

func TestTheManualNamesOnlyExistingBenchmarks(t *testing.T) {
	t.Parallel()
	commands := benchmark.FindAllStringSubmatch(readText(t, "docs/performance.md"), -1)
	if len(commands) == 0 {
		t.Fatal("docs/performance.md has no command")
	}
	for _, command := range commands {
		matched := false
		for _, file := range sources(t) {
			for name := range tests([]source{file}) {
				matched = matched || filepath.Dir(file.name) == command[2] && strings.HasPrefix(name, "Benchmark") && strings.Contains(name, command[1])
			}
		}
		if !matched {
			t.Errorf("%s has no benchmark %s", command[2], command[1])
		}
	}
}

var documentedRoute = regexp.MustCompile("(?m)^\\| (`(?:GET|POST|PUT|DELETE) /[^|]*) \\| (?:feed|read|write|admin)[a-z, ]* \\|")

func TestTheManualListsEveryRouteOfTheAPI(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, row := range documentedRoute.FindAllStringSubmatch(readText(t, "docs/api.md"), -1) {
		path := ""
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			if _, is, ok := strings.Cut(name[1], " "); ok {
				path = is
			} else { // another path with the same beginning
				path = path[:strings.LastIndex(path, "/")+1] + name[1]
			}
			listed = append(listed, path)
		}
	}
	known := routes(t)
	for _, path := range listed {
		if !slices.ContainsFunc(known, func(k string) bool { return k == path || strings.HasSuffix(k, "/") && strings.HasPrefix(path, k) }) {
			t.Errorf("docs/api.md lists %s, which is no route of internal/api", path)
		}
	}
	for _, path := range known {
		if !slices.ContainsFunc(listed, func(l string) bool { return l == path || strings.HasSuffix(path, "/") && strings.HasPrefix(l, path) }) {
			t.Errorf("docs/api.md does not list %s", path)
		}
	}
}

// routes are the paths of the API's operations; one that ends in a slash is the
// constant part of several.
func routes(t *testing.T) []string {
	t.Helper()
	var known []string
	for _, file := range sources(t) {
		if file.test || filepath.Dir(file.name) != "internal/api" {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			pair, ok := node.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := pair.Key.(*ast.Ident); !ok || !strings.EqualFold(key.Name, "path") {
				return true
			}
			value := pair.Value
			if sum, ok := value.(*ast.BinaryExpr); ok {
				if value = sum.X; constant(value) == "" {
					value = sum.Y // The common prefix is not constant here.
				}
			}
			if path := constant(value); strings.HasPrefix(path, "/") {
				known = append(known, path)
			}
			return true
		})
	}
	if len(known) == 0 {
		t.Fatal("internal/api has no route")
	}
	return known
}
