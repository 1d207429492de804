package sim

import (
	"fmt"
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// bill counts the parts of a query that cost something.
type bill struct {
	connections int // requests that the unique connections need
	nodes       int // that the query may return
	users       int // that it looks up
	points      int // the cost, 0 if the connections decide it
}

const maxNodes = 500_000 // GitHub docs, "Rate limits and query limits for the GraphQL API", node limit

// cost returns the points of the query. GitHub docs, "Rate limits and query limits for
// the GraphQL API": one for a hundred requests, rounded, and at least one.
func (b bill) cost() int {
	if b.points > 0 {
		return b.points
	}
	return max(1, (b.connections+50)/100)
}

func (b bill) withCost(points int) bill {
	b.points = points
	return b
}

// bill returns the bill of the query before it runs, or the reason why GitHub does
// not run it.
func (x *query) bill() (bill, *queryError) {
	var b bill
	if err := x.add(&b, x.op.SelectionSet, 1, nil); err != nil {
		return b, err
	}
	if b.nodes > maxNodes {
		return b, &queryError{Type: "MAX_NODE_LIMIT_EXCEEDED", Message: fmt.Sprintf(
			"This query requests up to %d possible nodes which exceeds the maximum limit of 500,000.", b.nodes)}
	}
	return b, nil
}

// add adds the fields of a set to the bill that is read so many times.
func (x *query) add(b *bill, set ast.SelectionSet, times int, path []any) *queryError {
	for _, selection := range set {
		var err *queryError
		switch s := selection.(type) {
		case *ast.Field:
			err = x.addField(b, s, times, append(path, s.Alias))
		case *ast.InlineFragment:
			err = x.add(b, s.SelectionSet, times, path)
		case *ast.FragmentSpread:
			err = x.add(b, s.Definition.SelectionSet, times, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *query) addField(b *bill, f *ast.Field, times int, path []any) *queryError {
	args := f.ArgumentMap(x.vars)
	switch {
	case f.Name == "nodes" && f.ObjectDefinition.Name == "Query":
		times *= len(texts(args["ids"]))
		b.users += times
	case f.Name == "user" || f.Name == "node":
		b.users += times
	case strings.HasSuffix(f.Definition.Type.Name(), "Connection"):
		items, err := pageSize(f.Name, args)
		if err != nil {
			err.Path = path
			return err
		}
		b.connections += times
		times = min(times*items, math.MaxInt32)
		b.nodes = min(b.nodes+times, math.MaxInt32)
	}
	return x.add(b, f.SelectionSet, times, path)
}

// pageSize returns first or last, of which a connection needs one.
func pageSize(connection string, args map[string]any) (int, *queryError) {
	for _, name := range []string{"first", "last"} {
		n, given := number(args[name])
		switch {
		case !given:
		case n > maxPerPage:
			return 0, &queryError{Type: "EXCESSIVE_PAGINATION", Message: fmt.Sprintf(
				"Requesting %d records on the `%s` connection exceeds the `%s` limit of 100 records.", n, connection, name)}
		case n < 1:
			return 0, &queryError{Type: "INVALID_PAGINATION", Message: fmt.Sprintf("`%s` on the `%s` connection cannot be less than one.", name, connection)}
		default:
			return n, nil
		}
	}
	return 0, &queryError{Type: "MISSING_PAGINATION_BOUNDARIES", Message: fmt.Sprintf(
		"You must provide a `first` or `last` value to properly paginate the `%s` connection.", connection)}
}
