package gistdeal_test

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// event is a logging call; its message is the name of the event.
type event struct {
	level      string
	attributes []string // in order, without repetitions
}

// levels are the levels of events.
var levels = []string{"Info", "Warn", "Error"}

func TestTheManualListsEveryLogEvent(t *testing.T) {
	t.Parallel()
	logged, listed := loggedEvents(t), listedEvents(t)
	for name, e := range logged {
		if want, ok := listed[name]; !ok {
			t.Errorf("docs/operations.md does not list the event %q", name)
		} else if e.level != want.level || !slices.Equal(e.attributes, want.attributes) {
			t.Errorf("event %q: docs/operations.md has %v, the program %v", name, want, e)
		}
	}
	for name := range listed {
		if _, ok := logged[name]; !ok {
			t.Errorf("docs/operations.md lists the event %q, which is never logged", name)
		}
	}
}

// loggedEvents returns the events of the program's logging calls. Messages and
// attribute names must be constant.
func loggedEvents(t *testing.T) map[string]event {
	t.Helper()
	events := map[string]event{}
	for _, file := range sources(t) {
		if file.test {
			continue
		}
		for _, level := range levels {
			for _, use := range file.selectors("slog", "Level"+level) {
				t.Errorf("%s: a writer at level %s would log messages that are not constant", file.pos(use), level)
			}
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !logs(call) {
				return true
			}
			level := strings.TrimSuffix(call.Fun.(*ast.SelectorExpr).Sel.Name, "Context")
			name := constant(call.Args[0])
			e := event{level: strings.ToLower(level), attributes: events[name].attributes}
			for i := 1; i < len(call.Args); i += 2 {
				e.attributes = append(e.attributes, constant(call.Args[i]))
			}
			slices.Sort(e.attributes)
			e.attributes = slices.Compact(e.attributes)
			if name == "" || slices.Contains(e.attributes, "") {
				t.Errorf("%s: the message and the names of attributes must be constant", file.pos(call))
			}
			if before, ok := events[name]; ok && before.level != e.level {
				t.Errorf("%s: %q is logged at two levels", file.pos(call), name)
			}
			events[name] = e
			return true
		})
	}
	return events
}

// logs reports whether a call logs an event. Loggers are named log or are the
// slog package itself.
func logs(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 || !slices.Contains(levels, strings.TrimSuffix(method.Sel.Name, "Context")) {
		return false
	}
	switch on := method.X.(type) {
	case *ast.Ident:
		return on.Name == "log" || on.Name == "slog"
	case *ast.SelectorExpr:
		return strings.EqualFold(on.Sel.Name, "log")
	}
	return false
}

// constant returns the text of a string literal, "" for other expressions.
func constant(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return text
}

var (
	eventRow  = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (info|warn|error) \\|([^|]*)\\|")
	attribute = regexp.MustCompile("`([^`]+)`")
)

// listedEvents returns the events in the table of the manual.
func listedEvents(t *testing.T) map[string]event {
	t.Helper()
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]event{}
	for _, row := range eventRow.FindAllStringSubmatch(string(text), -1) {
		e := event{level: row[2]}
		for _, name := range attribute.FindAllStringSubmatch(row[3], -1) {
			e.attributes = append(e.attributes, name[1])
		}
		slices.Sort(e.attributes)
		events[row[1]] = e
	}
	if len(events) == 0 {
		t.Fatal("docs/operations.md lists no events")
	}
	return events
}
