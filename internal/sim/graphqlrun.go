package sim

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed graphql.graphql
var schemaText string

// schema is parsed when it is first needed.
var schema = sync.OnceValue(func() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Name: "graphql.graphql", Input: schemaText})
})

// query is a valid query with all it needs to run.
type query struct {
	h      *gitHub
	call   *call
	op     *ast.OperationDefinition
	vars   map[string]any
	charge *object // rateLimit
	users  int     // looked up so far
	errs   []queryError
}

// object is a value with fields. A field is a scalar, an *object, a list of objects,
// or a resolver of these.
type object struct {
	kind   string
	fields map[string]any
}

// step is the last step of a path to a part of the answer: a name or an index.
type step struct {
	before *step
	key    any
}

// list returns the steps in order.
func (s *step) list() []any {
	if s == nil {
		return nil
	}
	return append(s.before.list(), s.key)
}

// resolver returns the value of a field that depends on arguments.
type resolver func(args map[string]any) (any, *queryError)

// prepare parses and validates a query.
func prepare(text, name string, variables map[string]any) (*query, []queryError) {
	doc, errs := gqlparser.LoadQueryWithRules(schema(), text, rules.NewDefaultRules())
	if errs != nil {
		return nil, refusals(errs)
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		return nil, []queryError{{Message: "No operation named " + strconv.Quote(name)}}
	}
	vars, err := validator.VariableValues(schema(), op, variables)
	if err != nil {
		return nil, refusals(gqlerror.List{gqlerror.Wrap(err)})
	}
	return &query{op: op, vars: vars}, nil
}

// refusals returns the errors of a query that is not valid. GitHub words them in its
// own way.
func refusals(errs gqlerror.List) []queryError {
	var list []queryError
	for _, err := range errs {
		e := queryError{Message: err.Message}
		for _, at := range err.Locations {
			e.Locations = append(e.Locations, map[string]int{"line": at.Line, "column": at.Column})
		}
		list = append(list, e)
	}
	return list
}

// run returns the data of the answer, and the errors of parts of it.
func (x *query) run() (map[string]any, []queryError) {
	data, ok := x.object(x.root(), []ast.SelectionSet{x.op.SelectionSet}, nil)
	if !ok {
		data = nil
	}
	return data, x.errs
}

// object returns the selected fields of an object. ok is false if one of them is null
// and must not be: then the object itself is null.
func (x *query) object(o *object, sets []ast.SelectionSet, path *step) (values map[string]any, ok bool) {
	selected := map[string][]*ast.Field{}
	var names []string
	for _, set := range sets {
		x.collect(o.kind, set, func(f *ast.Field) {
			if selected[f.Alias] == nil {
				names = append(names, f.Alias)
			}
			selected[f.Alias] = append(selected[f.Alias], f)
		})
	}
	values = map[string]any{}
	for _, name := range names {
		value := x.field(o, selected[name], &step{path, name})
		if value == nil && selected[name][0].Definition.Type.NonNull {
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

// collect calls add for each selected field of an object of that kind, with those of
// fragments.
func (x *query) collect(kind string, set ast.SelectionSet, add func(*ast.Field)) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if x.included(s.Directives) {
				add(s)
			}
		case *ast.InlineFragment:
			if x.included(s.Directives) && is(kind, s.TypeCondition) {
				x.collect(kind, s.SelectionSet, add)
			}
		case *ast.FragmentSpread:
			if x.included(s.Directives) && is(kind, s.Definition.TypeCondition) {
				x.collect(kind, s.Definition.SelectionSet, add)
			}
		}
	}
}

// included evaluates the directives @include and @skip.
func (x *query) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if on, _ := d.ArgumentMap(x.vars)["if"].(bool); d.Name == "skip" && on || d.Name == "include" && !on {
			return false
		}
	}
	return true
}

// is reports whether an object of that kind is one of the type or interface.
func is(kind, condition string) bool {
	return condition == "" || slices.ContainsFunc(schema().PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == kind })
}

// field returns the value of a field, which may be selected more than once.
func (x *query) field(o *object, selected []*ast.Field, path *step) any {
	f := selected[0]
	if f.Name == "__typename" {
		return o.kind
	}
	value := o.fields[f.Name]
	if resolve, ok := value.(resolver); ok {
		var err *queryError
		if value, err = resolve(f.ArgumentMap(x.vars)); err != nil {
			x.fail(err, f, path)
			return nil
		}
	}
	var sets []ast.SelectionSet
	for _, one := range selected {
		sets = append(sets, one.SelectionSet)
	}
	return x.complete(value, f, sets, path)
}

// complete returns a value as JSON.
func (x *query) complete(value any, f *ast.Field, sets []ast.SelectionSet, path *step) any {
	switch v := value.(type) {
	case *object:
		if v == nil {
			return nil
		}
		if values, ok := x.object(v, sets, path); ok {
			return values
		}
		return nil
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			at := &step{path, i}
			if err, failed := item.(*queryError); failed {
				x.fail(err, f, at)
				continue
			}
			list[i] = x.complete(item, f, sets, at)
		}
		return list
	case time.Time:
		return seconds(v)
	}
	return value
}

// fail adds an error of a part of the answer.
func (x *query) fail(err *queryError, f *ast.Field, path *step) {
	e := *err
	e.Path = path.list()
	e.Locations = []map[string]int{{"line": f.Position.Line, "column": f.Position.Column}}
	x.errs = append(x.errs, e)
}

// number returns a number of a query or of its variables.
func number(value any) (n int, ok bool) {
	switch v := value.(type) {
	case int64:
		return int(v), true
	case json.Number:
		n, err := strconv.Atoi(string(v))
		return n, err == nil
	}
	return 0, false
}
