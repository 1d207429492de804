package gistdeal_test

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Decision records are checked too. A record is not rewritten, but the tests that
// it names must exist.
func TestDocumentsNameOnlyExistingTestsAndVariables(t *testing.T) {
	t.Parallel()
	files := sources(t)
	texts := literals(files)
	for what, c := range map[string]struct {
		pattern string
		exists  map[string]bool
	}{
		"variable": {`\b(?:GISTDEAL|GITHUB|PIPEDRIVE)_[A-Z_]+`, variables(texts)},
		"test":     {`\b(?:Test|Benchmark|Fuzz)[A-Z]\w+`, tests(files)},
	} {
		for _, name := range documents(t) {
			for _, mention := range regexp.MustCompile(c.pattern).FindAllString(readText(t, name), -1) {
				if !c.exists[mention] {
					t.Errorf("%s: the %s %s does not exist", name, what, mention)
				}
			}
		}
	}
}

// documents returns the names of all texts for users and maintainers.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*.yml", "docs/*/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		names = append(names, files...)
	}
	return names
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// literals returns all string literals outside tests.
func literals(files []source) map[string]bool {
	texts := map[string]bool{}
	for _, file := range files {
		if file.test {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					texts[text] = true
				}
			}
			return true
		})
	}
	return texts
}

// variables returns the texts that are names of variables. Each variable may also
// be given as a file.
func variables(texts map[string]bool) map[string]bool {
	names := map[string]bool{"GISTDEAL_": true} // the common prefix
	for text := range texts {
		if strings.HasPrefix(text, "GISTDEAL_") || strings.HasPrefix(text, "GITHUB_") || strings.HasPrefix(text, "PIPEDRIVE_") {
			names[text], names[strings.TrimSuffix(text, "_FILE")+"_FILE"] = true, true
		}
	}
	return names
}

// tests returns the functions in test files.
func tests(files []source) map[string]bool {
	names := map[string]bool{}
	for _, file := range files {
		if !file.test {
			continue
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
