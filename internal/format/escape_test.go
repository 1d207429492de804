package format_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"gistdeal/internal/format"
)

func TestCharactersThatATerminalObeysAreEscaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, “quoted”, 日本 and 👩‍💻": "plain, “quoted”, 日本 and 👩‍💻",
		"\x1b[31mred\x07":                 `\x1b[31mred\a`,
		"a\tb\r\nc\x00\x7f":               `a\tb\r\nc\x00\x7f`,
		"\u009b31m\u0085":                 `\u009b31m\u0085`,
		"a\u2028b\u2029c":                 `a\u2028b\u2029c`,
		"\u202egpj.exe\u202c":             `\u202egpj.exe\u202c`,
		"\u2066x\u2069\u200e\u200f\u061c": `\u2066x\u2069\u200e\u200f\u061c`,
	} {
		if got := format.Escape(text); got != want {
			t.Errorf("%q is escaped as %q, want %q", text, got, want)
		}
	}
}

func FuzzEscapedJSONHasTheSameMeaning(f *testing.F) {
	f.Add("\x1b\u009b\u202e\u2028\x7f\n\\\"👩‍💻")
	f.Add("\xff\u0085")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return // JSON has no such strings.
		}
		encoded, err := json.MarshalIndent(map[string]string{"text": text}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		escaped := format.EscapeJSON(string(encoded))
		if shown := strings.ReplaceAll(escaped, "\n", ""); format.Escape(shown) != shown {
			t.Errorf("%q is left in %q", text, escaped)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(escaped), &back); err != nil || back["text"] != text {
			t.Errorf("%q is read back as %q, %v", text, back["text"], err)
		}
	})
}
