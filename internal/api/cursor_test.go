package api_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/api"
)

func FuzzACursorIsReadBackOrRefused(f *testing.F) {
	for _, plain := range oddCursors {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(plain)))
	}
	for _, text := range odd {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		again(t, text, new(int64))
		again(t, text, new(string))
		again(t, text, new(api.Mark))
	})
}

// again reads a cursor, encodes its place and reads the result too.
func again[T comparable](t *testing.T, text string, place *T) {
	t.Helper()
	if err := api.ReadCursor(text, place); err != nil {
		if gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%q: %v, want Invalid", text, err)
		}
		return
	}
	var second T
	if err := api.ReadCursor(api.Cursor(*place), &second); text != "" && (err != nil || second != *place) {
		t.Errorf("%q is %+v and encoded again %+v, error %v", text, *place, second, err)
	}
}

func TestACursorWithInvalidTextIsRefused(t *testing.T) {
	t.Parallel()
	for plain, ok := range map[string]bool{`"a"`: true, `"\u0000"`: false, `"\\u0000"`: true, `"\\\u0000"`: false, `"\\\\u0000 \u0000"`: false} {
		var place string
		err := api.ReadCursor(base64.RawURLEncoding.EncodeToString([]byte(plain)), &place)
		if (err == nil) != ok || strings.Contains(place, "\x00") {
			t.Errorf("%s: %q, error %v; want success: %t", plain, place, err, ok)
		}
	}
}
