package rules

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTexts is the most texts that an expression can list.
const maxTexts = 100

// listed is a text of an expression that only lists texts, such as (?i)\b(terraform|pulumi)\b.
// To search for them takes a small part of the time of running the expression.
type listed struct {
	text          string
	fold, exact   bool           // whether it has letters whose case does not matter, or does
	before, after syntax.EmptyOp // what has to be at its ends; before, if there is no text
}

// words reports whether a word has to begin or end at an end of the text.
func (l *listed) words() bool { return (l.before|l.after)&syntax.EmptyWordBoundary != 0 }

// listOf returns the texts of an expression. It returns nil if the expression is no list.
func listOf(e *syntax.Regexp) []listed {
	list := expand(withoutStars(e))
	for i := range list {
		one := &list[i]
		word := (one.before | one.after) == syntax.EmptyWordBoundary
		begins, ends := one.before == syntax.EmptyBeginText, one.after == syntax.EmptyEndText
		if one.text == "" || !word && (one.before != 0 && !begins || one.after != 0 && !ends) {
			return nil
		}
		if word {
			one.text = markWords(one.text, one.before != 0, one.after != 0)
		}
	}
	return list
}

// withoutStars returns an expression without a .* at its ends, which makes no difference.
func withoutStars(e *syntax.Regexp) *syntax.Regexp {
	if e.Op != syntax.OpConcat {
		return e
	}
	inner := *e
	for len(inner.Sub) > 1 && inner.Sub[0].Op == syntax.OpStar {
		inner.Sub = inner.Sub[1:]
	}
	for last := len(inner.Sub) - 1; last > 0 && inner.Sub[last].Op == syntax.OpStar; last-- {
		inner.Sub = inner.Sub[:last]
	}
	return &inner
}

// expand returns the texts that an expression matches; nil if they are no short list.
func expand(e *syntax.Regexp) (all []listed) {
	switch e.Op {
	case syntax.OpEmptyMatch:
		return []listed{{}}
	case syntax.OpBeginText:
		return []listed{{before: syntax.EmptyBeginText}}
	case syntax.OpEndText:
		return []listed{{before: syntax.EmptyEndText}}
	case syntax.OpWordBoundary:
		return []listed{{before: syntax.EmptyWordBoundary}}
	case syntax.OpCharClass:
		return expandClass(e.Rune)
	case syntax.OpCapture:
		return expand(e.Sub[0])
	case syntax.OpQuest:
		if all = expand(e.Sub[0]); all == nil {
			return nil
		}
		return append(all, listed{})
	case syntax.OpAlternate:
		for _, sub := range e.Sub {
			list := expand(sub)
			if all = append(all, list...); list == nil || len(all) > maxTexts {
				return nil
			}
		}
		return all
	case syntax.OpLiteral:
		all = []listed{{}}
		for _, r := range e.Rune {
			all = joinAll(all, expandRune(r, e.Flags&syntax.FoldCase != 0))
		}
		return all
	case syntax.OpConcat:
		all = []listed{{}}
		for _, sub := range e.Sub {
			all = joinAll(all, expand(sub))
		}
		return all
	}
	return nil
}

// expandRune returns a character. If its case does not matter, it returns all of the same
// letter beside a to z.
func expandRune(r rune, fold bool) (all []listed) {
	switch {
	case isLetter(r) && fold:
		return []listed{{text: lowerASCII(string(r)), fold: true}}
	case !fold:
		return []listed{{text: string(r), exact: isLetter(r)}}
	}
	all = []listed{{text: string(r)}}
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		all = append(all, listed{text: string(other)})
	}
	return all
}

// expandClass returns the characters of a class; nil if they are many.
func expandClass(ranges []rune) (all []listed) {
	has := map[rune]bool{}
	for i := 0; i < len(ranges); i += 2 {
		if int(ranges[i+1]-ranges[i])+len(has) >= maxTexts {
			return nil
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			has[r] = true
		}
	}
	for r := range has {
		switch {
		case !isLetter(r) || !has[r^('a'^'A')]:
			all = append(all, expandRune(r, false)...)
		case r >= 'a':
			all = append(all, expandRune(r, true)...)
		}
	}
	return all
}

func isLetter(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }

// joinAll returns each text of a before each of b; nil if that is not possible.
func joinAll(a, b []listed) (all []listed) {
	if len(a)*len(b) > maxTexts {
		return nil
	}
	for _, first := range a {
		for _, second := range b {
			one, ok := first.join(second)
			if !ok {
				return nil
			}
			all = append(all, one)
		}
	}
	return all
}

// join returns l before another text. It returns false if something has to be between them, or
// if the case of some letters matters and that of others does not.
func (l listed) join(next listed) (listed, bool) {
	one := listed{text: l.text + next.text, fold: l.fold || next.fold, exact: l.exact || next.exact, before: l.before, after: next.after}
	between := l.after | next.before
	switch {
	case l.text == "":
		one.before |= between
	case next.text == "":
		one.after |= between
	case between != 0:
		return one, false
	}
	return one, !one.fold || !one.exact
}

// searched is a text that expressions search in, in the forms that listed texts need.
type searched struct{ plain, folded, marked, markedFolded string }

// searchedOf replaces the two letters beside a to z that are the same as one of them if the
// case does not matter: long s and the sign of Kelvin.
func searchedOf(s string) searched {
	s = sameLetters.Replace(s)
	isWord := func(i int) bool { return s != "" && isWordByte(s[i]) }
	marked := markWords(s, isWord(0), isWord(len(s)-1))
	return searched{s, lowerASCII(s), marked, lowerASCII(marked)}
}

var sameLetters = strings.NewReplacer("\u017f", "s", "\u212a", "K")

// in reports whether the text is in another one.
func (l *listed) in(s *searched) bool {
	text := s.plain
	switch word := l.words(); {
	case word && l.fold:
		text = s.markedFolded
	case word:
		text = s.marked
	case l.fold:
		text = s.folded
	}
	begins, ends := l.before&syntax.EmptyBeginText != 0, l.after&syntax.EmptyEndText != 0
	switch {
	case begins && ends:
		return text == l.text
	case begins:
		return strings.HasPrefix(text, l.text)
	case ends:
		return strings.HasSuffix(text, l.text)
	}
	return strings.Contains(text, l.text)
}

// markWords returns a text with a NUL at each boundary of a word, and at its ends if asked for.
// No stored text has one.
func markWords(s string, before, after bool) string {
	var b strings.Builder
	b.Grow(2*len(s) + 2)
	if before {
		b.WriteByte(0)
	}
	for i := range len(s) {
		if i > 0 && isWordByte(s[i-1]) != isWordByte(s[i]) {
			b.WriteByte(0)
		}
		b.WriteByte(s[i])
	}
	if after {
		b.WriteByte(0)
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// lowerASCII makes A to Z small and leaves other letters alone.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
