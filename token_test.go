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

func TestANewTokenHas130RandomBits(t *testing.T) {
	t.Parallel()
	var letters [26]map[byte]bool
	for range 2000 {
		text, prefixed := strings.CutPrefix(gistdeal.NewToken(), "gd_")
		if !prefixed || len(text) != len(letters) {
			t.Fatalf("a token has %d characters after its prefix, want %d", len(text), len(letters))
		}
		for i := range letters {
			if letters[i] == nil {
				letters[i] = map[byte]bool{}
			}
			letters[i][text[i]] = true
		}
	}
	for i, all := range letters {
		if len(all) != 32 { // five bits
			t.Errorf("position %d has %d different letters, want 32", i, len(all))
		}
	}
}
