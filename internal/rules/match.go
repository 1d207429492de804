package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// What is matched of a gist at most, so that a decision takes few steps.
const (
	maxFiles       = 50    // whose names and languages count
	maxFileName    = 100   // bytes
	maxNames       = 1_000 // bytes of all names
	maxDescription = 1_000
	maxSearched    = 250 // bytes that an expression reads of the description, and of the names
)

// text is what conditions read of a gist.
type text struct {
	Facts
	login                       string
	description, names          string   // in lower case
	eachName, languages         []string // in lower case
	searchedText, searchedNames searched
	size                        int64
}

func textOf(f Facts) *text {
	t := &text{Facts: f, login: strings.ToLower(f.Login)}
	cutText := gistdeal.CutBytes(f.Description, maxDescription)
	t.description, t.searchedText = strings.ToLower(cutText), searchedOf(gistdeal.CutBytes(cutText, maxSearched))
	var names []string
	left := maxNames
	for i, file := range f.Files {
		t.size += file.Size
		if i >= maxFiles {
			continue
		}
		if left > 0 {
			name := gistdeal.CutBytes(file.Name, min(maxFileName, left))
			left -= len(name) + 1
			names = append(names, name)
			t.eachName = append(t.eachName, strings.ToLower(name))
		}
		if file.Language != "" {
			t.languages = append(t.languages, strings.ToLower(file.Language))
		}
	}
	all := strings.Join(names, "\n")
	t.names, t.searchedNames = strings.ToLower(all), searchedOf(gistdeal.CutBytes(all, maxSearched))
	return t
}

// condition is a Condition that is ready for use.
type condition struct {
	Condition
	lower      string
	pattern    pattern
	list       []listed       // of an expression; nil if it is none
	expression *regexp.Regexp // nil if it is a list
}

func compileCondition(c Condition) (condition, error) {
	one := condition{Condition: c, lower: strings.ToLower(c.Value)}
	var err error
	switch c.Fact {
	case Login, FileName:
		one.pattern = patternOf(one.lower)
	case Expression:
		var parsed *syntax.Regexp
		if parsed, err = syntax.Parse(c.Value, syntax.Perl); err != nil {
			return one, err
		}
		if one.list = listOf(parsed); one.list == nil {
			one.expression, err = regexp.Compile(c.Value)
		}
	}
	return one, err
}

// unknown reports whether the condition is about a fact that GitHub has not told yet.
func (c *condition) unknown(t *text) bool {
	switch c.Fact {
	case Fork:
		return t.Fork == nil
	case Language, Size:
		return !t.Known
	case Age:
		return t.CreatedAt.IsZero()
	}
	return false
}

// holds reports whether the condition, whose fact is known, holds for a gist.
func (c *condition) holds(t *text) bool {
	switch c.Fact {
	case Tag:
		return slices.Contains(t.Tags, c.lower)
	case Login:
		return c.pattern.matches(t.login)
	case Language:
		return slices.Contains(t.languages, c.lower)
	case FileName:
		for _, name := range t.eachName {
			if c.pattern.matches(name) {
				return true
			}
		}
	case Keyword:
		return c.In != fileName && strings.Contains(t.description, c.lower) || c.In != description && strings.Contains(t.names, c.lower)
	case Expression:
		return c.In != fileName && c.searches(&t.searchedText) || c.In != description && c.searches(&t.searchedNames)
	case FileCount:
		return c.within(int64(len(t.Files)))
	case Size:
		return c.within(t.size)
	case Age:
		return c.within(int64(max(t.NoticedAt.Sub(t.CreatedAt), 0) / (24 * time.Hour)))
	case Fork:
		return *t.Fork
	case Backfill:
		return t.Backfill
	}
	return false
}

func (c *condition) within(n int64) bool {
	return (c.Least == nil || n >= *c.Least) && (c.Most == nil || n <= *c.Most)
}

// searches reports whether an expression matches a text.
func (c *condition) searches(s *searched) bool {
	if c.list == nil {
		return c.expression.MatchString(s.plain)
	}
	for i := range c.list {
		if c.list[i].in(s) {
			return true
		}
	}
	return false
}

// String describes the condition in words.
func (c Condition) String() string {
	switch c.Fact {
	case Tag:
		return fmt.Sprintf("the user has the tag %q", c.Value)
	case Login:
		return fmt.Sprintf("the login is like %q", c.Value)
	case Language:
		return fmt.Sprintf("a file is in %s", c.Value)
	case FileName:
		return fmt.Sprintf("a file is named like %q", c.Value)
	case Keyword, Expression:
		verb, where := "contains", "the description or a file name"
		if c.Fact == Expression {
			verb = "matches"
		}
		if c.In != "" {
			where = map[string]string{description: "the description", fileName: "a file name"}[c.In]
		}
		return fmt.Sprintf("%s %s %q", where, verb, c.Value)
	case FileCount:
		return "the number of files is " + c.bounds("")
	case Size:
		return "the size is " + c.bounds(" bytes")
	case Age:
		return "the age is " + c.bounds(" days")
	case Fork:
		return "the gist is a fork"
	case Backfill:
		return "the first scan of the user found the gist"
	}
	return c.Fact
}

func (c Condition) bounds(unit string) string {
	var words []string
	if c.Least != nil {
		words = append(words, "at least "+strconv.FormatInt(*c.Least, 10))
	}
	if c.Most != nil {
		words = append(words, "at most "+strconv.FormatInt(*c.Most, 10))
	}
	return strings.Join(words, " and ") + unit
}

// pattern is a text in which each * stands for any text. Matching takes one pass.
type pattern []string

func patternOf(s string) pattern {
	parts := strings.Split(s, "*")
	for i := len(parts) - 2; i > 0; i-- { // Several stars are like one.
		if parts[i] == "" {
			parts = slices.Delete(parts, i, i+1)
		}
	}
	return parts
}

func (p pattern) matches(s string) bool {
	if len(p) == 1 {
		return s == p[0]
	}
	first, last := p[0], p[len(p)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range p[1 : len(p)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}
