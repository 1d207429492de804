package gistdeal

import (
	"strings"
	"unicode/utf8"
)

// StorableText returns a text without what neither a database nor a field of Pipedrive can
// store: NUL is removed, and bytes that are not UTF-8 are replaced.
func StorableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// ShortText returns a storable text of at most limit runes. An ellipsis ends a shortened one.
func ShortText(text string, limit int) string {
	text = StorableText(text)
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// CutBytes returns the beginning of a text, at most limit bytes and whole characters.
func CutBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
