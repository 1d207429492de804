package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// scripts call the hidden command complete, so that they always match the program.
// Without a candidate they offer files.
var scripts = map[string]string{
	"bash": `_gistdeal() {
  local IFS=$'\n'
  COMPREPLY=($("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _gistdeal gistdeal
`,
	"zsh": `#compdef gistdeal
_gistdeal() {
  local -a words_
  words_=(${(f)"$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#words_ )); then compadd -- $words_; else _files; fi
}
compdef _gistdeal gistdeal
`,
	"fish": `function __gistdeal
  set -l typed (commandline -opc)
  set -l candidates ($typed[1] complete -- $typed[2..] (commandline -ct) 2>/dev/null)
  if test -n "$candidates"
    printf '%s\n' $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c gistdeal -f -a '(__gistdeal)'
`,
}

// Run prints the script for a shell's start-up file.
func (c *completionCmd) Run() error {
	_, err := fmt.Fprint(os.Stdout, scripts[c.Shell])
	return err
}

type completeCmd struct {
	Words []string `arg:"" optional:"" help:"The words after the program's name; the last one is being typed."`
}

// Run prints the candidates for the last word, one per line.
func (c *completeCmd) Run(command *kong.Context) error {
	if len(c.Words) == 0 {
		c.Words = []string{""}
	}
	last := len(c.Words) - 1
	for _, word := range candidates(command.Model.Node, c.Words[:last], c.Words[last]) {
		if _, err := fmt.Fprintln(os.Stdout, word); err != nil {
			return err
		}
	}
	return nil
}

// candidates returns the completions of the typed word after the words before it;
// none for free text.
func candidates(node *kong.Node, before []string, typed string) []string {
	var open *kong.Flag // wants a value
	for _, word := range before {
		if open != nil {
			open = nil
			continue
		}
		if name, ok := strings.CutPrefix(word, "--"); ok {
			open = wantsValue(node, name)
			continue
		}
		if i := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == word }); i >= 0 {
			node = node.Children[i]
		}
	}
	all := offered(node)
	switch {
	case open != nil:
		all = open.EnumSlice()
	case strings.HasPrefix(typed, "-"):
		all = flags(node)
	}
	return slices.DeleteFunc(all, func(word string) bool { return word == "" || !strings.HasPrefix(word, typed) })
}

// wantsValue returns the flag if the next word is its value.
func wantsValue(node *kong.Node, name string) *kong.Flag {
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			if f.Name == name && !f.IsBool() {
				return f
			}
		}
	}
	return nil
}

func flags(node *kong.Node) (all []string) {
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			all = append(all, "--"+f.Name)
		}
	}
	return all
}

// offered returns the subcommands and the argument values of a command.
func offered(node *kong.Node) (all []string) {
	for _, child := range node.Children {
		if !child.Hidden {
			all = append(all, child.Name)
		}
	}
	for _, arg := range node.Positional {
		if arg.Enum != "" {
			all = append(all, arg.EnumSlice()...)
		}
	}
	return all
}
