package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write docs/cli.md instead of comparing it")

const (
	cliManual = "../../docs/cli.md"

	manualHead = `# Command line

This page is generated from the program's own definitions by ` + "`make docs`" + `; edit the help texts in ` + "`cmd/gistdeal`" + ` instead.
` + "`gistdeal COMMAND --help`" + ` prints the same.

- Commands read the same environment as ` + "`serve`" + `: [configuration.md](configuration.md). Set ` + "`GISTDEAL_DATABASE_URL`" + ` to the database of the
  running service. Only ` + "`serve` and `users add`" + ` create a database; the other commands that need one fail without it.
  Without ` + "`--json`" + `, a command says on standard error which database it uses.
- Commands about users and deals write rows to the database and follow them. They work beside a running ` + "`serve`" + ` and without one; without
  one, they say so, and the next ` + "`serve`" + ` does the work. Ctrl+C ends the following, not the work.
- A login may be written ` + "`octocat`, `@octocat`" + ` or as an address at github.com; a gist by its id or its address.
- Commands that print data take ` + "`--json`" + `: stable names, times in RFC 3339 and UTC. Errors go to standard error.
- Commands that cannot be undone print how much they change and what it costs, and ask. Without a terminal they need ` + "`--yes`" + `;
  ` + "`--dry-run`" + ` only prints.
- Exit status: 0 done; 1 an error, a failed check, or something that could not be done; 2 a mistake in the configuration; 80 a command line
  that cannot be parsed, or that lacks ` + "`--yes`" + `.
`
)

func TestTheManualOfTheCommandLineIsGenerated(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{}, options(t.Context())...)
	if err != nil {
		t.Fatal(err)
	}
	want := manualHead + manual(parser.Model.Node, "gistdeal")
	if *update {
		if err := os.WriteFile(cliManual, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(cliManual)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("docs/cli.md is not what the command line says; `make docs` writes it anew")
	}
}

// manual renders the commands below a node, each as a section.
func manual(node *kong.Node, path string) string {
	var text strings.Builder
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		name := path + " " + child.Name
		if len(child.Children) > 0 {
			text.WriteString(manual(child, name))
			continue
		}
		fmt.Fprintf(&text, "\n## %s\n\n%s\n", name, strings.TrimSpace(child.Help))
		fmt.Fprintf(&text, "\n```\n%s\n```\n", usage(child, name))
		if rows := parameters(child); len(rows) > 0 {
			fmt.Fprintf(&text, "\n| argument or flag | default | meaning |\n|---|---|---|\n%s\n", strings.Join(rows, "\n"))
		}
	}
	return text.String()
}

// usage is the command with its arguments.
func usage(node *kong.Node, name string) string {
	words := []string{name}
	for _, arg := range node.Positional {
		words = append(words, arg.Summary())
	}
	if len(node.Flags) > 0 {
		words = append(words, "[flags]")
	}
	return strings.Join(words, " ")
}

// parameters are the rows of a command's table.
func parameters(node *kong.Node) []string {
	var rows []string
	row := func(name string, v *kong.Value) {
		standard := "none"
		switch {
		case v.Required:
			standard = "required"
		case v.IsBool():
			standard = "off"
		case v.Default != "":
			standard = "`" + v.Default + "`"
		}
		help := v.Help
		if values := strings.Trim(strings.ReplaceAll(v.Enum, ",", ", "), ", "); values != "" && v.Name != "shell" {
			help += " One of: " + values + "."
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", strings.ReplaceAll(name, "|", "\\|"), standard, strings.ReplaceAll(help, "|", "\\|")))
	}
	for _, arg := range node.Positional {
		row(arg.Summary(), arg)
	}
	for _, f := range node.Flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		row(name, f.Value)
	}
	return rows
}
