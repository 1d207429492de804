package web

import (
	"fmt"
	"regexp"
	"strings"
)

// The modules are joined into one script when the program starts, so that the browser
// makes one request for them; those of views that few people visit are another script, which
// is loaded when one of them is first visited. Each module keeps a scope of its own. Only the forms of import and
// export below are understood, each on one line; joining another one fails at the start,
// and in the tests.
var (
	importForm = regexp.MustCompile(`^import (?:\* as (\w+)|\{ ([\w$, ]+) \}) from '\./(\w+)\.js';$`)
	exportForm = regexp.MustCompile(`^export ((?:async )?function|const|class) ([\w$]+)`)
)

// join returns a script that runs the module named entry, with all the modules that it
// imports. modules has the text of each by its name, without the .js.
func join(modules map[string]string, entry string) (string, error) {
	j := joiner{modules: modules, state: map[string]int{}}
	if err := j.add(entry); err != nil {
		return "", err
	}
	return j.out.String(), nil
}

// joinLater is join for a script that is loaded later. Its one export load takes the shared
// modules, by their names, and returns the exports of the entry.
func joinLater(modules map[string]string, entry string, shared []string) (string, error) {
	j := joiner{modules: modules, state: map[string]int{}}
	given := make([]string, len(shared))
	for i, name := range shared {
		j.state[name] = done
		given[i] = name + ": module_" + name
	}
	if err := j.add(entry); err != nil {
		return "", err
	}
	return fmt.Sprintf("export const load = ({ %s }) => {\n%sreturn module_%s;\n};\n", strings.Join(given, ", "), j.out.String(), entry), nil
}

type joiner struct {
	modules map[string]string
	state   map[string]int // 0 is unknown, begun and done
	out     strings.Builder
}

const (
	begun = 1
	done  = 2
)

// add adds a module after its imports.
func (j *joiner) add(name string) error {
	text, ok := j.modules[name]
	switch {
	case !ok:
		return fmt.Errorf("there is no module %s", name)
	case j.state[name] == begun:
		return fmt.Errorf("the module %s imports itself", name)
	case j.state[name] == done:
		return nil
	}
	j.state[name] = begun
	lines := strings.Split(text, "\n")
	var exports []string
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "import"):
			m := importForm.FindStringSubmatch(line)
			if m == nil {
				return fmt.Errorf("%s.js: %s", name, line)
			}
			if err := j.add(m[3]); err != nil {
				return err
			}
			lines[i] = fmt.Sprintf("const %s = module_%s;", bindings(m[1], m[2]), m[3])
		case strings.HasPrefix(line, "export"):
			m := exportForm.FindStringSubmatch(line)
			if m == nil {
				return fmt.Errorf("%s.js: %s", name, line)
			}
			lines[i] = strings.TrimPrefix(line, "export ")
			exports = append(exports, m[2])
		case strings.HasPrefix(line, "//"):
			lines[i] = "" // Comments between functions are half of the comments.
		}
	}
	j.state[name] = done
	fmt.Fprintf(&j.out, "const module_%s = (() => {\n%s\nreturn { %s };\n})();\n", name, strings.Join(lines, "\n"), strings.Join(exports, ", "))
	return nil
}

// bindings returns what an import binds: a whole module, or names of it.
func bindings(module, names string) string {
	if module != "" {
		return module
	}
	return "{ " + names + " }"
}
