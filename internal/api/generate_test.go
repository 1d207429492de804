package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// known are texts with a meaning in the world of the fuzz test.
var known = []string{
	"user1", "USER2", "@user3", "https://github.com/user4", "user5", "user99999", "octocat",
	"00000000000000000000000000000001", "https://gist.github.com/user1/00000000000000000000000000000002", "00000000000000000000000000000003", "ci", "all", "new", "7",
}

// odd are texts that often cause errors.
var odd = []string{
	"", " ", ".", "..", "../..", "%", "%00", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "\u202e", "é", "漢字", "🐙", "'", `"`, "\\", "_%_", "a,b", ",", ",,,,",
	"-1", "0", "1e400", "NaN", "null", "true", "{}", "[]", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "0x10", "1_000", "+1", "\r\nX: y", "<script>",
	strings.Repeat("a", 39), strings.Repeat("a", 40), strings.Repeat("a", 101), strings.Repeat("é", 300), strings.Repeat("x", 20_000),
}

// oddJSON are unexpected JSON values.
var oddJSON = []string{
	"null", "true", "0", "-1", "1.5", "1e400", "-0", "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", `""`, `"\u0000"`, `"\ud800"`, "\"\xff\"",
	"[]", "{}", "[null]", `[[]]`, `{"":null}`, `["a",1]`, strings.Repeat("[", 10_001), strings.Repeat(`{"a":`, 10_001), `"` + strings.Repeat("y", 70_000) + `"`,
}

// oddCursors are decoded cursors that belong to no list.
var oddCursors = []string{
	"null", "{}", "[]", `""`, `"\u0000"`, "0", "-1", "1.5", "1e400", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "true",
	`{"i":1,"l":"\u0000","t":9223372036854775807}`, `{"i":-9223372036854775808,"t":-9223372036854775808}`, `{"i":"1"}`, `{"l":1}`, `{"i":null,"l":null,"t":null}`, "{", "\xff",
}

var oddTypes = []string{
	"", "application/json; charset=utf-16", "application/xml", "text/html", "multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded",
	"application/problem+json", "a/b; =", "/", "text/", "application/octet-stream", "\xff", "application/cbor",
}

// generator generates requests from the OpenAPI document.
type generator struct{ *rand.Rand }

func pick[T any](g generator, some []T) T { return some[g.IntN(len(some))] }

// one reports true once in n times.
func (g generator) one(n int) bool { return g.IntN(n) == 0 }

// value returns a value that the schema allows.
func (g generator) value(ref *openapi3.SchemaRef) any {
	s := ref.Value
	switch {
	case len(s.Enum) > 0:
		return pick(g, s.Enum)
	case s.Type.Includes("object"):
		object := map[string]any{}
		for _, name := range sorted(s.Properties) {
			if needed := slices.Contains(s.Required, name); needed || g.one(2) {
				object[name] = g.value(s.Properties[name])
			}
		}
		return object
	case s.Type.Includes("array"):
		n := int(s.MinItems) + g.IntN(4)
		list := make([]any, 0, n)
		for range n {
			list = append(list, g.value(s.Items))
		}
		return list
	case s.Type.Includes("integer"):
		least, most := int64(0), int64(1<<40)
		if s.Min != nil {
			least = int64(*s.Min)
		}
		if s.Max != nil {
			most = int64(*s.Max)
		}
		return pick(g, []int64{least, most, least + g.Int64N(most-least+1)})
	case s.Type.Includes("boolean"):
		return g.one(2)
	case s.Format == "date-time":
		return pick(g, []string{"2026-11-29T06:00:00Z", "2026-11-29T06:00:00.5+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
	}
	return g.text(s)
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// text returns a text that the schema allows.
func (g generator) text(s *openapi3.Schema) string {
	if s.Pattern != "" {
		return g.matching(regexp.MustCompile(s.Pattern))
	}
	if s.Format == "date-time" {
		return pick(g, []string{"2026-01-31T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999+14:00"})
	}
	text := pick(g, known)
	if g.one(3) {
		text = strings.ToValidUTF8(pick(g, odd), "?")
	}
	runes := []rune(text)
	if s.MaxLength != nil && len(runes) > int(*s.MaxLength) {
		runes = runes[:*s.MaxLength]
	}
	for len(runes) < int(s.MinLength) {
		runes = append(runes, 'x')
	}
	return string(runes)
}

// matching returns a text that a pattern of the document allows: all of them are
// of backfill policies.
func (g generator) matching(pattern *regexp.Regexp) string {
	text := pick(g, []string{"all", "none", "2026-01-31", "0000-00-00", "9999-99-99"})
	if !pattern.MatchString(text) {
		panic("no text is known for the pattern " + pattern.String())
	}
	return text
}

// cursor returns something in the form of a cursor, or nearly.
func (g generator) cursor() string {
	if g.one(4) {
		return pick(g, odd)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(pick(g, oddCursors)))
}

// body returns a JSON body, with an error unless valid.
func (g generator) body(ref *openapi3.SchemaRef, valid bool) []byte {
	value := g.value(ref)
	if object, ok := value.(map[string]any); ok && !valid {
		g.breakMember(object)
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	if valid {
		return text
	}
	// Values that cannot be marshalled are replaced by their number.
	for i, raw := range oddJSON {
		text = bytes.ReplaceAll(text, fmt.Appendf(nil, `"odd-%d"`, i), []byte(raw))
	}
	switch g.IntN(8) {
	case 0:
		text = text[:g.IntN(len(text)+1)]
	case 1:
		text[g.IntN(len(text))] = byte(g.IntN(256))
	case 2:
		text = append(text, pick(g, oddJSON)...)
	case 3:
		text = []byte(pick(g, oddJSON))
	}
	return text
}

// breakMember removes a member, adds one, or gives one an unsuitable value.
func (g generator) breakMember(object map[string]any) {
	names := []string{"extra", "", "\x00", "users.0", "__proto__"}
	for _, name := range sorted(object) {
		names = append(names, name, name, name)
	}
	name := pick(g, names)
	if g.one(4) {
		delete(object, name)
		return
	}
	object[name] = fmt.Sprintf("odd-%d", g.IntN(len(oddJSON)))
	if g.one(3) {
		object[name] = []any{object[name], "user1"}
	}
	if g.one(4) {
		object[name] = pick(g, odd)
	}
}

// query returns a query with those parameters.
func (g generator) query(params openapi3.Parameters, valid bool) string {
	q := url.Values{}
	for _, p := range params {
		switch {
		case p.Value.In != "query" || g.one(2):
		case valid && p.Value.Name == "cursor": // Only lists return valid cursors.
		case valid:
			q.Set(p.Value.Name, joined(g.value(p.Value.Schema)))
		case p.Value.Name == "cursor" && !g.one(4):
			q.Set("cursor", g.cursor())
		case g.one(3):
			q.Set(p.Value.Name, joined(g.value(p.Value.Schema)))
		default:
			q.Set(p.Value.Name, pick(g, odd))
		}
	}
	if valid {
		return q.Encode()
	}
	for _, name := range sorted(q) {
		for range g.IntN(300) * (g.IntN(6) / 5) {
			q[name] = append(q[name], pick(g, append(odd, q[name]...)))
		}
	}
	if g.one(10) {
		q.Set(pick(g, odd), pick(g, odd))
	}
	text := q.Encode()
	if g.one(10) {
		text += pick(g, []string{"&", ";", "&&=", "&%zz", "&a=%", "?", "&limit", "&cursor=;"})
	}
	return text
}

// joined formats a value for a query, lists with commas.
func joined(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = fmt.Sprint(one)
	}
	return strings.Join(texts, ",")
}

// path fills in the parameters of a path.
func (g generator) path(template string, params openapi3.Parameters, valid bool) string {
	for _, p := range params {
		if p.Value.In != "path" {
			continue
		}
		text := pick(g, known)
		for valid && strings.Contains(text, "/") || !valid && g.one(2) {
			if text = pick(g, known); !valid {
				text = pick(g, odd)
				break
			}
		}
		template = strings.ReplaceAll(template, "{"+p.Value.Name+"}", url.PathEscape(text))
	}
	return template
}
