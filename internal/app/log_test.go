package app_test

import (
	"strings"
	"testing"

	"gistdeal/internal/app"
	"gistdeal/internal/format"
)

func TestTheLogEscapesWhatATerminalWouldObey(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"text", "json"} {
		var out strings.Builder
		app.NewLog(&out, kind).Info("deal refused", "reason", "a\x1b[31m\u009b31m\u202eb\u2028c\x7f")
		line, ok := strings.CutSuffix(out.String(), "\n")
		if !ok || format.Escape(line) != line || !strings.Contains(line, `\u009b31m\u202eb\u2028c`) {
			t.Errorf("%s: %q", kind, out.String())
		}
	}
}
