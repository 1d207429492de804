package store

import (
	"strconv"
	"strings"
)

// where builds the WHERE clause of a statement. Conditions contain only constant text; all
// other values are arguments.
type where struct {
	conditions []string
	args       []any // of the whole statement
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(value any) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args))
}

// add adds a condition in which ? stands for value.
func (w *where) add(condition string, value any) {
	w.conditions = append(w.conditions, strings.Replace(condition, "?", w.arg(value), 1))
}

// in adds the condition that the column has one of the values.
func (w *where) in(column string, values []string) {
	placeholders := make([]string, len(values))
	for i, v := range values {
		placeholders[i] = w.arg(v)
	}
	w.conditions = append(w.conditions, column+" IN ("+strings.Join(placeholders, ", ")+")")
}

// sql returns the WHERE clause, "" if there are no conditions.
func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// stringsOf converts states to strings.
func stringsOf[S ~string](states []S) []string {
	texts := make([]string, len(states))
	for i, s := range states {
		texts[i] = string(s)
	}
	return texts
}
