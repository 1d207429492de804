package gistdeal_test

import (
	"database/sql"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gistdeal/internal/testing/stack"
)

// retired are words that the code no longer uses, with the words that replace
// them. They must not be part of a name.
var retired = map[string]string{
	"desk": "admin", "operate": "doctor or admin", "asks": "scan requests", "doubt": "in doubt", "doubts": "in doubt",
	"gate": "backoff", "gates": "backoff", "stray": "orphaned", "strays": "orphaned", "surplus": "duplicate",
	"held": "awaiting approval, or lease", "found": "queued, listed, match or ok", "made": "created", "noticing": "new gist policy",
	"aim": "target", "choice": "setting", "choices": "settings", "happened": "event", "story": "history", "stories": "histories",
	"meddle": "edit", "hands": "operator", "uses": "usages", "ears": "listeners",
}

// kept are pairs of words that stay in use although the second one is retired.
var kept = []string{"not found", "in doubt"}

func TestNoNameContainsARetiredWord(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		if ast.IsGenerated(file.File) {
			continue
		}
		for _, id := range declared(file.File) {
			if word := retiredWord(id.Name); word != "" {
				t.Errorf("%s: %s contains %q; say %s", file.pos(id), id.Name, word, retired[word])
			}
		}
		for _, field := range jsonNames(file.File) {
			if word := retiredWord(field.name); word != "" {
				t.Errorf("%s: the JSON name %s contains %q; say %s", file.pos(field.tag), field.name, word, retired[word])
			}
		}
	}
	for _, name := range columns(t) {
		if word := retiredWord(name); word != "" {
			t.Errorf("the database: %s contains %q; say %s", name, word, retired[word])
		}
	}
}

func TestRetiredWordsAreDetectedInNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"DealMade": "made", "madeAt": "made", "surplus_deals": "surplus", "HTTPGate": "gate", "asks2": "asks",
		"ErrNotFound": "", "not_found": "", "inDoubt": "", "remade": "", "foundation": "", "Found": "found",
	} {
		if got := retiredWord(name); got != want {
			t.Errorf("%s contains %q, want %q", name, got, want)
		}
	}
}

// retiredWord returns the first retired word of a name, "" if it has none.
func retiredWord(name string) string {
	parts := split(name)
	for i, word := range parts {
		if retired[word] == "" {
			continue
		}
		if i > 0 && slices.Contains(kept, parts[i-1]+" "+word) {
			continue
		}
		return word
	}
	return ""
}

var (
	lowerUpper = regexp.MustCompile(`([a-z])([A-Z0-9])`)
	upperWord  = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
	notLetters = regexp.MustCompile(`[^A-Za-z]+`)
)

// split returns the words of a name in camel case or with underscores.
func split(name string) []string {
	name = upperWord.ReplaceAllString(lowerUpper.ReplaceAllString(name, "${1}_${2}"), "${1}_${2}")
	return strings.Fields(strings.ToLower(notLetters.ReplaceAllString(name, " ")))
}

// declared returns the names that a file declares.
func declared(file *ast.File) (names []*ast.Ident) {
	add := func(expressions ...ast.Expr) {
		for _, e := range expressions {
			if id, ok := e.(*ast.Ident); ok {
				names = append(names, id)
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.File:
			add(n.Name)
		case *ast.FuncDecl:
			add(n.Name)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			names = append(names, n.Names...)
		case *ast.Field:
			names = append(names, n.Names...)
		case *ast.AssignStmt:
			if n.Tok.String() == ":=" {
				add(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok.String() == ":=" {
				add(n.Key, n.Value)
			}
		}
		return true
	})
	return names
}

// jsonName is a name in a struct tag.
type jsonName struct {
	tag  ast.Node
	name string
}

func jsonNames(file *ast.File) (names []jsonName) {
	ast.Inspect(file, func(node ast.Node) bool {
		field, ok := node.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		text, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return true
		}
		name, _, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
		names = append(names, jsonName{field.Tag, name})
		return true
	})
	return names
}

// columns returns the tables and columns of a new database, "deals.state" for
// example. Both databases have the same ones.
func columns(t *testing.T) (names []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "names.db")
	stack.OpenAt(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		t.Fatalf("%d columns, error %v", len(names), err)
	}
	return names
}

// unnamed matches words that replace the subject of a clause. A few of them are
// fine, but many make a text hard to read.
var unnamed = regexp.MustCompile(`(?i)\b(?:who|what|whose|whoever|whom|whatever)\b`)

// textLine is a line of a comment or of a document.
type textLine struct {
	place, text string
}

func TestCommentsNameTheirSubjects(t *testing.T) {
	t.Parallel()
	lines := goComments(t)
	for extension, marks := range map[string][]string{".js": {"//", "/*", "*"}, ".sql": {"--"}, ".sh": {"#"}, ".tf": {"#", "//"}, ".hcl": {"#", "//"}} {
		lines = append(lines, linesWith(t, extension, marks)...)
	}
	checkShare(t, "comment lines", lines, 0.03)
}

func TestDocumentsNameTheirSubjects(t *testing.T) {
	t.Parallel()
	checkShare(t, "lines of documents", linesWith(t, ".md", nil), 0.04)
}

// checkShare fails the test if the share of lines with such a word reaches the
// limit, and lists the first lines of each folder.
func checkShare(t *testing.T, what string, lines []textLine, limit float64) {
	t.Helper()
	count, perFolder, report := 0, map[string]int{}, ""
	for _, line := range lines {
		if !unnamed.MatchString(line.text) {
			continue
		}
		count++
		folder := filepath.Dir(line.place)
		if perFolder[folder]++; perFolder[folder] <= 3 {
			report += fmt.Sprintf("\n%s: %s", line.place, strings.TrimSpace(line.text))
		}
	}
	share := float64(count) / float64(max(len(lines), 1))
	t.Logf("%d of %d %s (%.1f %%) contain who, what, whose, whoever, whom or whatever", count, len(lines), what, 100*share)
	if share >= limit || len(lines) == 0 {
		t.Errorf("%.1f %% of %s, want less than %.0f %%; name the subject instead. The first ones of each folder:%s", 100*share, what, 100*limit, report)
	}
}

func goComments(t *testing.T) (lines []textLine) {
	t.Helper()
	for _, file := range sources(t) {
		if ast.IsGenerated(file.File) {
			continue
		}
		for _, group := range file.Comments {
			for _, comment := range group.List {
				place := file.fset.Position(comment.Pos())
				for i, text := range strings.Split(comment.Text, "\n") {
					lines = append(lines, textLine{fmt.Sprintf("%s:%d", file.name, place.Line+i), text})
				}
			}
		}
	}
	return lines
}

// linesWith returns the lines of all files with the extension that begin with
// one of the marks, or all lines that are not blank if there are no marks.
func linesWith(t *testing.T, extension string, marks []string) (lines []textLine) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(name)
		}
		if filepath.Ext(name) != extension {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for i, text := range strings.Split(string(content), "\n") {
			begin := strings.TrimSpace(text)
			marked := slices.ContainsFunc(marks, func(mark string) bool { return strings.HasPrefix(begin, mark) })
			if begin != "" && !strings.HasPrefix(begin, "#!") && (marked || len(marks) == 0) {
				lines = append(lines, textLine{fmt.Sprintf("%s:%d", filepath.ToSlash(name), i+1), text})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
