package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// check returns what is wrong with a value, "" if nothing. Values of a body are
// as encoding/json gives them, with json.Number; values of a query are strings.
type check func(value any) string

func notA(kind string) string { return "The value is not a valid '" + kind + "'" }

func isText(v any) string {
	if _, ok := v.(string); !ok {
		return notA("string")
	}
	return ""
}

func isNumber(v any) string {
	if _, ok := v.(json.Number); !ok {
		return notA("number")
	}
	return ""
}

// isInt refuses "5": version 2 takes no number for a text and no text for a number.
func isInt(v any) string {
	if n, ok := v.(json.Number); ok {
		if _, err := n.Int64(); err == nil {
			return ""
		}
	}
	return notA("integer")
}

func isBool(v any) string {
	if _, ok := v.(bool); !ok {
		return notA("boolean")
	}
	return ""
}

func isInts(v any) string {
	items, ok := v.([]any)
	if !ok || slices.ContainsFunc(items, func(v any) bool { return isInt(v) != "" }) {
		return notA("integer[]")
	}
	return ""
}

func isObject(v any) string {
	if _, ok := v.(map[string]any); !ok {
		return notA("object")
	}
	return ""
}

func isDate(v any) string {
	text, ok := v.(string)
	if _, err := time.Parse(time.DateOnly, text); !ok || err != nil {
		return notA("date")
	}
	return ""
}

// nullable also accepts null.
func nullable(c check) check {
	return func(v any) string {
		if v == nil {
			return ""
		}
		return c(v)
	}
}

// textOf accepts texts of so many characters.
func textOf(least, most int) check {
	return func(v any) string {
		text, ok := v.(string)
		if n := utf8.RuneCountInString(text); !ok {
			return notA("string")
		} else if n < least || n > most {
			return fmt.Sprintf("The value must have %d to %d characters", least, most)
		}
		return ""
	}
}

func oneOf(words ...string) check {
	return func(v any) string {
		if text, ok := v.(string); !ok || !slices.Contains(words, text) {
			return "The value must be one of " + strings.Join(words, ", ")
		}
		return ""
	}
}

// someOf accepts words separated by commas.
func someOf(words ...string) check {
	one := oneOf(words...)
	return func(v any) string {
		text, _ := v.(string)
		for word := range strings.SplitSeq(text, ",") {
			if reason := one(word); reason != "" {
				return reason
			}
		}
		return ""
	}
}

func anyText(any) string { return "" }

func isIntText(v any) string {
	text, _ := v.(string)
	if _, err := strconv.ParseInt(text, 10, 64); err != nil {
		return notA("integer")
	}
	return ""
}

// isSeconds refuses fractions of a second, as others have met it.
func isSeconds(v any) string {
	text, _ := v.(string)
	if _, err := time.Parse(time.RFC3339, text); err != nil || strings.Contains(text, ".") {
		return "The value is not a valid datetime"
	}
	return ""
}

const (
	defaultLimit = 100
	maxLimit     = 500
)

func isLimit(v any) string {
	text, _ := v.(string)
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > maxLimit {
		return fmt.Sprintf("The value must be 1 to %d", maxLimit)
	}
	return ""
}

func notAllowed(name string) string {
	return fmt.Sprintf("%s: Parameter '%s' is not allowed for this request", name, name)
}

// checkQuery returns what is wrong with a query, "" if nothing.
func checkQuery(q url.Values, known map[string]check) string {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		c, exists := known[name]
		if !exists {
			return notAllowed(name)
		}
		if reason := c(q.Get(name)); reason != "" {
			return name + ": " + reason
		}
	}
	return ""
}

// readBody reads a JSON object of which only some names are known.
func readBody(body []byte, known map[string]check) (values map[string]any, reason string) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&values); err != nil || values == nil {
		return nil, "body: " + notA("object")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c, exists := known[name]
		if !exists {
			return nil, notAllowed(name)
		}
		if reason := c(values[name]); reason != "" {
			return nil, name + ": " + reason
		}
	}
	return values, ""
}
