package gistdeal_test

import (
	"strings"
	"testing"

	"gistdeal"
)

func TestTokenNamesAreShortPlainAndNotReserved(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"ci": true, "CI-2_b.x": true, "7": true, strings.Repeat("a", 40): true, "Admin": true,
		"": false, strings.Repeat("a", 41): false, "a b": false, "a/b": false, "a\n": false, "é": false, "a:b": false, "admin": false,
	} {
		if err := gistdeal.CheckTokenName(name); (err == nil) != ok || err != nil && gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%q: %v, want ok: %t", name, err, ok)
		}
	}
}

func TestNewTokensDiffer(t *testing.T) {
	t.Parallel()
	a, b := gistdeal.NewToken(), gistdeal.NewToken()
	if a == b || !strings.HasPrefix(a, "gd_") || len(a) < 3+26 {
		t.Errorf("tokens are %s and %s", a, b)
	}
}
