package rules

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"gistdeal"
)

const (
	maxOutput       = 65_000 // bytes of the result
	maxPieces       = 1_000  // that the result is written in
	templateFiles   = 20     // that a template can go through
	functionSteps   = 10     // of a function or value that goes through a long text; upper and lower have twice as many
	templateText    = 1_000  // bytes of the description in a template, and of the names of files
	maxTemplateName = 255
)

// Data is what templates can show.
type Data struct {
	Login, GistID, URL, UserURL string
	Description                 string
	Files                       []DataFile
	FileNames                   []string
	FileCount                   int
	FirstLines                  string // of the first file that is a text
	Language                    string // of the first file that has one
	Size                        int64
	Tags                        []string
	Created, Noticed            time.Time
	Backfill                    bool
}

// DataFile is a file in a template.
type DataFile struct {
	Name, Language, Type, FirstLines string
	Size                             int64
}

func dataOf(f Facts) Data {
	d := Data{
		Login: f.Login, GistID: f.GistID, URL: "https://gist.github.com/" + f.Login + "/" + f.GistID, UserURL: "https://gist.github.com/" + f.Login,
		Description: gistdeal.CutBytes(f.Description, templateText), FileCount: len(f.Files), Tags: f.Tags, Created: f.CreatedAt.UTC(), Noticed: f.NoticedAt.UTC(), Backfill: f.Backfill,
	}
	for i, file := range f.Files {
		d.Size += file.Size
		if d.Language == "" {
			d.Language = file.Language
		}
		if d.FirstLines == "" {
			d.FirstLines = file.FirstLines
		}
		if i < templateFiles {
			name := gistdeal.CutBytes(file.Name, maxTemplateName)
			d.Files, d.FileNames = append(d.Files, DataFile{name, file.Language, file.Type, file.FirstLines, file.Size}), append(d.FileNames, name)
		}
	}
	return d
}

// The names that a template may use.
var (
	rootNames = []string{"Login", "GistID", "URL", "UserURL", "Description", "FirstLines", "Files", "FileNames", "FileCount", "Language", "Size", "Tags", "Created", "Noticed", "Backfill"}
	fileNames = []string{"Name", "Language", "Type", "Size", "FirstLines"}
	// functions return no more than they get, so that no template can grow its result.
	functions = template.FuncMap{
		"upper": strings.ToUpper, "lower": strings.ToLower, "trim": strings.TrimSpace,
		"line": func(s string) string {
			first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
			return strings.TrimSpace(first)
		},
		"lines": func(n int, s string) string {
			all := strings.SplitN(s, "\n", max(n, 1)+1)
			return strings.Join(all[:min(len(all), max(n, 1))], "\n")
		},
		"short": func(n int, s string) string { return shorten(s, n) },
		"default": func(other, s string) string {
			if strings.TrimSpace(s) == "" {
				return other
			}
			return s
		},
		"join": func(separator string, all []string) string {
			if len(separator) > 10 {
				separator = ", "
			}
			return gistdeal.CutBytes(strings.Join(all, separator), templateText)
		},
		"first": func(all []string) string {
			if len(all) == 0 {
				return ""
			}
			return all[0]
		},
		"contains": func(part, s string) bool { return strings.Contains(s, part) },
		"date":     func(t time.Time) string { return t.Format(time.DateOnly) },
		"days":     func(a, b time.Time) int { return int(b.Sub(a) / (24 * time.Hour)) },
	}
	builtins = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len"}
)

// shorten cuts s to n characters, the last one an ellipsis.
func shorten(s string, n int) string {
	end, count := 0, 0
	for i := range s {
		if count++; count == max(n, 1) {
			end = i
		} else if count > n {
			return s[:end] + "…"
		}
	}
	return s
}

// checked is a template that uses only what is listed above.
type checked struct {
	*template.Template
	steps      int  // that it takes
	firstLines bool // it shows first lines of files
}

// parseTemplate parses a template and checks it.
func parseTemplate(source string) (checked, error) {
	if len(source) > maxTemplate {
		return checked{}, fmt.Errorf("the template has %d bytes, more than %d", len(source), maxTemplate)
	}
	t, err := template.New("template").Funcs(functions).Parse(source)
	if err != nil {
		return checked{}, errors.New(strings.TrimPrefix(err.Error(), "template: template:"))
	}
	if t.Tree == nil { // An empty template.
		return checked{Template: t}, nil
	}
	if len(t.Templates()) > 1 {
		return checked{}, errors.New("a template cannot define others")
	}
	c := checker{}
	if err := c.node(t.Root, false); err != nil {
		return checked{}, err
	}
	if c.steps > maxTemplateSteps {
		return checked{}, fmt.Errorf("the template has %d steps, more than %d; a function counts %d times, upper and lower twice as much, and what is in {{range .Files}} %d times", c.steps, maxTemplateSteps, functionSteps, templateFiles)
	}
	// The types of arguments show only when the template is executed.
	for _, sample := range samples {
		if _, err := render(t, sample); err != nil {
			return checked{}, err
		}
	}
	return checked{t, c.steps, c.firstLines}, nil
}

// samples are gists with and without the facts that a template may show.
var samples = []Data{
	dataOf(Facts{}),
	dataOf(Facts{Login: "octocat", GistID: "aa5a315d61ae9438b18d", Description: "A description", Tags: []string{"customer"}, Files: []File{{"main.go", "Go", 100, "text/plain", "package main"}, {"README.md", "Markdown", 10, "text/plain", ""}}, Backfill: true}),
}

// checker checks the nodes of a template and counts the steps that they take.
type checker struct {
	steps      int
	firstLines bool
}

// node returns an error if a node uses something that is not listed. inFiles is set inside
// a range over the files.
func (c *checker) node(node parse.Node, inFiles bool) error {
	c.count(1, inFiles)
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		return nil
	case *parse.ListNode:
		return c.list(n, inFiles)
	case *parse.ActionNode:
		return c.pipe(n.Pipe, inFiles)
	case *parse.IfNode:
		return errors.Join(c.pipe(n.Pipe, inFiles), c.list(n.List, inFiles), c.list(n.ElseList, inFiles))
	case *parse.RangeNode:
		if inFiles || n.Pipe.String() != ".Files" {
			return errors.New("range is only possible as {{range .Files}}, and not inside another one")
		}
		return errors.Join(c.list(n.List, true), c.list(n.ElseList, false))
	case *parse.PipeNode:
		return c.pipe(n, inFiles)
	case *parse.FieldNode:
		return c.names(n.Ident, inFiles, inFiles)
	case *parse.VariableNode:
		if n.Ident[0] != "$" || len(n.Ident) == 1 {
			return fmt.Errorf("variables are not possible: %s", n)
		}
		return c.names(n.Ident[1:], false, inFiles)
	case *parse.IdentifierNode:
		if _, ours := functions[n.Ident]; !ours && !slices.Contains(builtins, n.Ident) {
			return fmt.Errorf("there is no function %q; there are %s", n.Ident, strings.Join(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(functions)), builtins))), ", "))
		} else if ours {
			c.count(functionSteps-1, inFiles)
		}
		if n.Ident == "upper" || n.Ident == "lower" {
			c.count(functionSteps, inFiles)
		}
		return nil
	}
	return fmt.Errorf("not possible in a template: %.60s", node)
}

func (c *checker) count(steps int, inFiles bool) {
	if inFiles {
		steps *= templateFiles
	}
	c.steps += steps
}

func (c *checker) list(list *parse.ListNode, inFiles bool) error {
	if list == nil {
		return nil
	}
	for _, one := range list.Nodes {
		if err := c.node(one, inFiles); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) pipe(pipe *parse.PipeNode, inFiles bool) error {
	if len(pipe.Decl) > 0 {
		return errors.New("variables are not possible")
	}
	for _, command := range pipe.Cmds {
		for _, argument := range command.Args {
			if err := c.node(argument, inFiles); err != nil {
				return err
			}
		}
	}
	return nil
}

// names checks the name of a value of a file or of the gist.
func (c *checker) names(names []string, ofFile, inFiles bool) error {
	known := rootNames
	if ofFile {
		known = fileNames
	}
	if len(names) != 1 || !slices.Contains(known, names[0]) {
		return fmt.Errorf("there is no .%s here; there are .%s", strings.Join(names, "."), strings.Join(known, ", ."))
	}
	if slices.Contains([]string{"Description", "FirstLines", "FileNames", "Tags"}, names[0]) {
		c.count(functionSteps-1, inFiles)
	}
	c.firstLines = c.firstLines || names[0] == "FirstLines"
	return nil
}

// limited is a writer that ends a template with a large result.
type limited struct {
	text   strings.Builder
	pieces int
}

var errTooLarge = errors.New("the result of the template is too large")

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	l.pieces++
	if l.pieces > maxPieces || l.text.Len()+len(p) > maxOutput {
		return 0, errTooLarge
	}
	return l.text.Write(p)
}

var _ io.Writer = (*limited)(nil)

// render executes a template.
func render(t *template.Template, d Data) (string, error) {
	var out limited
	if err := t.Execute(&out, d); err != nil {
		if errors.Is(err, errTooLarge) {
			return "", errTooLarge
		}
		return "", errors.New(strings.TrimPrefix(err.Error(), "template: template:"))
	}
	return strings.TrimSpace(out.text.String()), nil
}

// number returns the number that a text is.
func number(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n != n || n > 1e15 || n < -1e15 {
		return 0, fmt.Errorf("%.40q is not a number", s)
	}
	return n, nil
}
