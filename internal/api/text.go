package api

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/problem"
)

// errNoText refuses characters that PostgreSQL's text cannot contain.
var errNoText = gistdeal.Errorf(gistdeal.Invalid, "texts are UTF-8 without the character NUL")

// isText reports whether all databases can hold s.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// readable refuses requests with such characters in their path or query.
func readable(ctx huma.Context, next func(huma.Context)) {
	address := ctx.URL()
	if query, err := url.QueryUnescape(address.RawQuery); err != nil || !isText(query) || !isText(address.Path) {
		refuse(ctx, problem.Of(errNoText))
		return
	}
	next(ctx)
}

// unmarshal reads JSON all texts of which are such that databases can hold them.
func unmarshal(data []byte, v any) error {
	if hasNUL(data) {
		return errNoText
	}
	return json.Unmarshal(data, v)
}

// hasNUL reports whether a text in JSON has the character NUL, which can only be
// written as an escape.
func hasNUL(data []byte) bool {
	for escape := []byte(`\u0000`); ; {
		before, after, ok := bytes.Cut(data, escape)
		if !ok {
			return false
		}
		// A backslash that is itself escaped escapes nothing.
		if backslashes := len(before) - len(bytes.TrimRight(before, `\`)); backslashes%2 == 0 {
			return true
		}
		data = after
	}
}
