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

// errInvalidText refuses texts that PostgreSQL cannot store, although SQLite could.
var errInvalidText = gistdeal.Errorf(gistdeal.Invalid, "text must be valid UTF-8 without NUL characters")

// validText reports whether both databases can store s.
func validText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// requireValidText is a middleware that refuses invalid text in paths and queries.
func requireValidText(ctx huma.Context, next func(huma.Context)) {
	requestURL := ctx.URL()
	if query, err := url.QueryUnescape(requestURL.RawQuery); err != nil || !validText(query) || !validText(requestURL.Path) {
		refuse(ctx, problem.Of(errInvalidText))
		return
	}
	next(ctx)
}

// unmarshal decodes JSON. It refuses strings that a database cannot store.
func unmarshal(data []byte, v any) error {
	if hasNUL(data) {
		return errInvalidText
	}
	return json.Unmarshal(data, v)
}

// hasNUL reports whether a string in JSON contains a NUL character, which JSON
// can only express as an escape.
func hasNUL(data []byte) bool {
	for escape := []byte(`\u0000`); ; {
		before, after, ok := bytes.Cut(data, escape)
		if !ok {
			return false
		}
		// After an even number of backslashes this one is not escaped itself.
		if backslashes := len(before) - len(bytes.TrimRight(before, `\`)); backslashes%2 == 0 {
			return true
		}
		data = after
	}
}
