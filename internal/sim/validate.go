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

// check returns the reason why a value is invalid, "" if it is valid. Values of a
// body are decoded by encoding/json, with json.Number; values of a query are
// strings.
type check func(value any) string

func invalidType(kind string) string { return "The value is not a valid '" + kind + "'" }

func isText(v any) string {
	if _, ok := v.(string); !ok {
		return invalidType("string")
	}
	return ""
}

func isNumber(v any) string {
	if _, ok := v.(json.Number); !ok {
		return invalidType("number")
	}
	return ""
}

// isInt refuses "5": API version 2 does not convert between numbers and strings.
func isInt(v any) string {
	if n, ok := v.(json.Number); ok {
		if _, err := n.Int64(); err == nil {
			return ""
		}
	}
	return invalidType("integer")
}

func isBool(v any) string {
	if _, ok := v.(bool); !ok {
		return invalidType("boolean")
	}
	return ""
}

func isInts(v any) string {
	items, ok := v.([]any)
	if !ok || slices.ContainsFunc(items, func(v any) bool { return isInt(v) != "" }) {
		return invalidType("integer[]")
	}
	return ""
}

func isObject(v any) string {
	if _, ok := v.(map[string]any); !ok {
		return invalidType("object")
	}
	return ""
}

func isDate(v any) string {
	text, ok := v.(string)
	if _, err := time.Parse(time.DateOnly, text); !ok || err != nil {
		return invalidType("date")
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

// textOf accepts texts with between shortest and longest characters.
func textOf(shortest, longest int) check {
	return func(v any) string {
		text, ok := v.(string)
		if n := utf8.RuneCountInString(text); !ok {
			return invalidType("string")
		} else if n < shortest || n > longest {
			return fmt.Sprintf("The value must have %d to %d characters", shortest, longest)
		}
		return ""
	}
}

func oneOf(values ...string) check {
	return func(v any) string {
		if text, ok := v.(string); !ok || !slices.Contains(values, text) {
			return "The value must be one of " + strings.Join(values, ", ")
		}
		return ""
	}
}

// someOf accepts a list of the values, separated by commas.
func someOf(values ...string) check {
	one := oneOf(values...)
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
		return invalidType("integer")
	}
	return ""
}

// isSeconds refuses fractions of a second, as others have observed.
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

// checkQuery returns the reason why a query is invalid, "" if it is valid.
func checkQuery(q url.Values, known map[string]check) string {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		c, exists := known[name]
		if !exists {
			return notAllowed(name)
		}
		if len(q[name]) > 1 {
			return name + ": The parameter may be given once"
		}
		if reason := c(q.Get(name)); reason != "" {
			return name + ": " + reason
		}
	}
	return ""
}

// readBody decodes and checks a JSON object. It refuses unknown names.
func readBody(body []byte, known map[string]check) (values map[string]any, reason string) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&values); err != nil || values == nil || !json.Valid(body) {
		return nil, "body: " + invalidType("object")
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
