package rules

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// Steps of conditions. One takes about 12 nanoseconds for the largest gist, as BenchmarkHostileRules
// shows.
const (
	keywordTexts = 4   // a keyword reads so many times as much as an expression
	patternTexts = 2   // and a pattern
	starSteps    = 20  // of a part of a pattern, which is searched for in each name
	programSteps = 320 // of an instruction of an expression
	lookupSteps  = 20  // of a tag, language or login
)

// counter counts the steps of the conditions of a set.
type counter struct {
	all, ofRule, most int
	rule, dearest     string // the dearest rule has the most steps
}

// begin begins with the next rule.
func (n *counter) begin(rule string) { n.rule, n.ofRule = rule, 0 }

// add adds the steps of a condition. It does not look at it after too many steps.
func (n *counter) add(c Condition) error {
	if n.all > maxSteps {
		return nil
	}
	steps, err := c.steps()
	n.all += steps
	if n.ofRule += steps; n.ofRule > n.most {
		n.most, n.dearest = n.ofRule, n.rule
	}
	return err
}

// mistake returns an error if there are too many steps.
func (n *counter) mistake() error {
	if n.all <= maxSteps {
		return nil
	}
	return fmt.Errorf("the conditions of all rules take too long: they have at least %d steps, more than %d; the rule %q has the most of them, %d: keywords, and regular expressions that only list texts, such as (terraform|pulumi), have few",
		n.all, maxSteps, n.dearest, n.most)
}

// steps returns the steps that a condition takes for the largest gist.
func (c Condition) steps() (int, error) {
	switch c.Fact {
	case Keyword:
		return keywordTexts * textSteps(c.Value), nil
	case FileName:
		return patternTexts*textSteps(c.Value) + starSteps*(2+strings.Count(c.Value, "*")), nil
	case Tag, Login, Language:
		return lookupSteps, nil
	case Expression:
		return expressionSteps(c.Value)
	}
	return 1, nil
}

// textSteps returns the steps to search for a text: processors have instructions for short ones.
func textSteps(s string) int {
	switch {
	case len(s) <= 16:
		return 8
	case len(s) < 64:
		return 36
	}
	return 64
}

// expressionSteps returns the steps of an expression, without compiling it.
func expressionSteps(source string) (steps int, _ error) {
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, err
	}
	list := listOf(parsed)
	for _, one := range list {
		if steps += textSteps(one.text); one.words() {
			steps += textSteps(one.text) // The text with marks may have twice the length.
		}
	}
	if list != nil {
		return steps, nil
	}
	n := instructions(parsed) + 2 // It begins, and it matches.
	if n > maxProgram {
		err = fmt.Errorf("the regular expression is too complicated: it has %d steps, more than %d", n, maxProgram)
	}
	return n * programSteps, err
}

// instructions returns the most steps that an expression can have for each character when it
// is compiled: repetitions of repetitions make a short one large.
func instructions(e *syntax.Regexp) int {
	n := 0
	for _, sub := range e.Sub {
		n += instructions(sub)
	}
	switch e.Op {
	case syntax.OpLiteral:
		n = len(e.Rune)
	case syntax.OpCapture, syntax.OpStar:
		n += 2
	case syntax.OpPlus, syntax.OpQuest:
		n++
	case syntax.OpAlternate:
		n += len(e.Sub)
	case syntax.OpRepeat: // Each repetition that may be missing is a choice.
		if e.Max < 0 {
			n = n*(e.Min+1) + 2
		} else {
			n = n*e.Min + (n+1)*(e.Max-e.Min)
		}
	}
	return min(max(n, 1), 1_000_000)
}
