package store

import (
	"strconv"
	"strings"
)

// where is the conditions of a statement and all arguments so far. Conditions are our
// text; external values are arguments.
type where struct {
	conditions []string
	args       []any
}

// arg adds an argument and returns its name.
func (w *where) arg(value any) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args))
}

// add adds a condition in which ? stands for value.
func (w *where) add(condition string, value any) {
	w.conditions = append(w.conditions, strings.Replace(condition, "?", w.arg(value), 1))
}

// in adds the condition that column is one of values.
func (w *where) in(column string, values []string) {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = w.arg(v)
	}
	w.conditions = append(w.conditions, column+" IN ("+strings.Join(names, ", ")+")")
}

// sql returns the conditions as a clause, "" if there are none.
func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// stringsOf returns states as their texts.
func stringsOf[S ~string](states []S) []string {
	texts := make([]string, len(states))
	for i, s := range states {
		texts[i] = string(s)
	}
	return texts
}
