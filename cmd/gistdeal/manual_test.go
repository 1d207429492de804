package main

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the generated manuals instead of comparing them")

const (
	cliManual = "../../docs/cli.md"

	manualHead = `# Command line

This page is generated from the program's own definitions by ` + "`make docs`" + `; edit the help texts in ` + "`cmd/gistdeal`" + ` instead.
` + "`gistdeal COMMAND --help`" + ` prints the same.

- Commands read the same environment as ` + "`serve`" + `: [configuration.md](configuration.md). Set ` + "`GISTDEAL_DATABASE_URL`" + ` to the database of the
  running service. Only ` + "`serve`, `users add` and `apply`" + ` create a database; the other commands that need one fail without it.
  Without ` + "`--json`" + `, a command says on standard error which database it uses.
- With ` + "`--server=URL`" + ` or ` + "`GISTDEAL_SERVER`" + ` a command works on the gistdeal at that address through its API, with the token in the file of
  ` + "`--token-file`, in `GISTDEAL_TOKEN` or in the file of `GISTDEAL_TOKEN_FILE`" + `. ` + "`--plain-http`" + ` allows ` + "`http://`" + ` to another machine. Some commands
  work only on the machine of the database and say so: [operations.md](operations.md#commands).
- Commands about users and deals write rows to the database and follow them. They work beside a running ` + "`serve`" + ` and without one; without
  one, they say so, and the next ` + "`serve`" + ` does the work. Ctrl+C ends the following, not the work.
- A login may be written ` + "`octocat`, `@octocat`" + ` or as an address at github.com; a gist by its id or its address.
- Commands that print data take ` + "`--json`" + `: stable names, times in RFC 3339 and UTC. Errors go to standard error.
- Commands that cannot be undone print how much they change and what it costs, and ask. Without a terminal they need ` + "`--yes`" + `;
  ` + "`--dry-run`" + ` only prints.
- ` + "`gistdeal --version`" + ` and ` + "`-v`" + ` print the version. A mistyped command or flag is an error that suggests the right one.
- Exit status: 0 done; 1 an error, a failed check, or something that could not be done; 2 differences from the file of
  ` + "`apply --dry-run`" + `; 78 a mistake in the configuration; 80 a command line that cannot be parsed, or that lacks ` + "`--yes`" + `.
`
)

func TestTheManualOfTheCommandLineIsGenerated(t *testing.T) {
	t.Parallel()
	generated(t, cliManual, manualHead+manual(model(t)))
}

// model is the command line's own definition of itself.
func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := kong.New(&cli{}, options(t.Context())...)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

// generated compares a file with what it should be, or writes it.
func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what the command line says; `make docs` writes it anew", file)
	}
}

// manual renders each command as a section.
func manual(root *kong.Node) string {
	var text strings.Builder
	for name, node := range commands(root, "gistdeal") {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n", name, strings.TrimSpace(node.Help))
		fmt.Fprintf(&text, "\n```\n%s\n```\n", usage(node, name))
		all := parameters(node)
		if len(all) == 0 {
			continue
		}
		text.WriteString("\n| argument or flag | default | meaning |\n|---|---|---|\n")
		for _, p := range all {
			fmt.Fprintf(&text, "| `%s` | %s | %s |\n", strings.ReplaceAll(p.name, "|", "\\|"), p.standard, strings.ReplaceAll(p.help, "|", "\\|"))
		}
	}
	return text.String()
}

// commands are the commands below a node that do something, with their whole names.
func commands(node *kong.Node, path string) iter.Seq2[string, *kong.Node] {
	return func(yield func(string, *kong.Node) bool) {
		for _, child := range node.Children {
			name := path + " " + child.Name
			if child.Hidden {
				continue
			}
			if len(child.Children) == 0 {
				if !yield(name, child) {
					return
				}
				continue
			}
			for name, below := range commands(child, name) {
				if !yield(name, below) {
					return
				}
			}
		}
	}
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

// parameter is an argument or a flag of a command.
type parameter struct{ name, standard, help string }

// parameters are the arguments and flags of a command.
func parameters(node *kong.Node) []parameter {
	var all []parameter
	add := func(name string, v *kong.Value) {
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
		all = append(all, parameter{name, standard, help})
	}
	for _, arg := range node.Positional {
		add(arg.Summary(), arg)
	}
	for _, f := range node.Flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		add(name, f.Value)
	}
	return all
}
