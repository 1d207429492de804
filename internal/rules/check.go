package rules

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"gistdeal"
)

// Bounds of a set, so that a decision takes few steps whatever the set contains.
const (
	MaxRules      = 200
	maxConditions = 500   // of all rules
	maxOfRule     = 50    // conditions in one list of a rule
	maxValue      = 200   // bytes of a condition's value
	maxProgram    = 300   // instructions of all expressions
	maxTemplate   = 2_000 // bytes
	maxSteps      = 1_000 // of all templates of a rule
	maxFields     = 20    // of a rule
	maxName       = 100   // runes of a rule's name
	maxTargetName = 255   // bytes
	maxNumber     = 1 << 40
)

// Check returns an Invalid error that names all mistakes of the set, or nil.
func (s Set) Check() error {
	mistakes := []error{}
	if len(s.Rules) > MaxRules {
		mistakes = append(mistakes, fmt.Errorf("there are %d rules, more than %d", len(s.Rules), MaxRules))
	}
	names, conditions, program := map[string]bool{}, 0, 0
	for i, r := range s.Rules[:min(len(s.Rules), MaxRules)] {
		for _, err := range r.mistakes() {
			mistakes = append(mistakes, fmt.Errorf("rule %d (%q): %w", i+1, r.Name, err))
		}
		if names[r.Name] {
			mistakes = append(mistakes, fmt.Errorf("rule %d: there are two rules named %q", i+1, r.Name))
		}
		names[r.Name] = true
		for _, c := range r.conditions() {
			conditions++
			program += c.instructions()
		}
	}
	if conditions > maxConditions {
		mistakes = append(mistakes, fmt.Errorf("the rules have %d conditions, more than %d", conditions, maxConditions))
	}
	if program > maxProgram {
		mistakes = append(mistakes, fmt.Errorf("the regular expressions of all rules are too complicated: they have %d steps, more than %d; a keyword counts nothing", program, maxProgram))
	}
	if len(mistakes) == 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Invalid, Err: errors.Join(mistakes...)}
}

// conditions returns all conditions of a rule.
func (r Rule) conditions() []Condition { return slices.Concat(r.All, r.Any, r.None) }

func (r Rule) mistakes() (mistakes []error) {
	add := func(text string, args ...any) { mistakes = append(mistakes, fmt.Errorf(text, args...)) }
	if name := strings.TrimSpace(r.Name); name != r.Name || name == "" || name == gistdeal.EverythingElse || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) {
		add("the name has to be a text of 1 to %d characters without spaces at the ends, and not %q", maxName, gistdeal.EverythingElse)
	}
	if !slices.Contains([]gistdeal.RuleAction{gistdeal.RuleCreate, gistdeal.RuleHold, gistdeal.RuleSkip}, r.Action) {
		add("the action is %q, want create, hold or skip", r.Action)
	}
	for _, list := range [][]Condition{r.All, r.Any, r.None} {
		if len(list) > maxOfRule {
			add("a list has %d conditions, more than %d", len(list), maxOfRule)
		}
		for _, c := range list[:min(len(list), maxOfRule)] {
			if err := c.check(); err != nil {
				add("condition %q: %w", c.Fact, err)
			}
		}
	}
	for _, name := range []string{r.Pipeline, r.Stage, r.Owner, r.Label} {
		if len(name) > maxTargetName || strings.TrimSpace(name) != name {
			add("%.60q is not a possible name in Pipedrive, want at most %d bytes without spaces at the ends", name, maxTargetName)
		}
	}
	if r.Action == gistdeal.RuleSkip && (r.hasContent() || r.UserDay != 0 || r.RuleDay != 0) {
		add("a rule that skips gists has no target, no templates and no limits")
	}
	if r.UserDay < 0 || r.RuleDay < 0 || r.UserDay > 1_000_000 || r.RuleDay > 1_000_000 {
		add("the deals of a day have to be 0 to 1000000")
	}
	return append(mistakes, r.templateMistakes()...)
}

// hasContent reports whether the rule says something about the content of its deals.
func (r Rule) hasContent() bool {
	return r.Pipeline != "" || r.Stage != "" || r.Owner != "" || r.Label != "" || r.Title != "" || len(r.Fields) > 0
}

func (r Rule) templateMistakes() (mistakes []error) {
	if len(r.Fields) > maxFields {
		return []error{fmt.Errorf("there are %d fields, more than %d", len(r.Fields), maxFields)}
	}
	seen := map[string]bool{}
	title, err := parseTemplate(r.Title)
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("title: %w", err))
	}
	steps := title.steps
	for _, f := range r.Fields {
		t, err := parseTemplate(f.Template)
		steps += t.steps
		switch {
		case f.Field == "" || len(f.Field) > maxTargetName:
			mistakes = append(mistakes, errors.New("a field has no name"))
		case slices.Contains(ownFields, f.Field):
			mistakes = append(mistakes, fmt.Errorf("field %q: gistdeal writes it itself", f.Field))
		case seen[f.Field]:
			mistakes = append(mistakes, fmt.Errorf("field %q is named twice", f.Field))
		case f.Template == "":
			mistakes = append(mistakes, fmt.Errorf("field %q has no template", f.Field))
		case err != nil:
			mistakes = append(mistakes, fmt.Errorf("field %q: %w", f.Field, err))
		}
		seen[f.Field] = true
	}
	if steps > maxSteps {
		mistakes = append(mistakes, fmt.Errorf("the templates have %d steps, more than %d; a step in {{range .Files}} counts %d times", steps, maxSteps, templateFiles))
	}
	return mistakes
}

// ownFields are the fields by which deals are recognised: a template must not change them.
var ownFields = []string{"Gist ID", "Gist Access URL"}

// check returns why the condition is not possible.
func (c Condition) check() error {
	switch c.Fact {
	case Tag, Login, Language, FileName, Keyword, Expression:
		if c.Value == "" || len(c.Value) > maxValue || !utf8.ValidString(c.Value) {
			return fmt.Errorf("the value has to be a text of 1 to %d bytes", maxValue)
		}
		if c.Least != nil || c.Most != nil {
			return errors.New("it has a value, and neither least nor most")
		}
	case FileCount, Size, Age:
		if c.Least == nil && c.Most == nil || c.Value != "" {
			return errors.New("it has least or most, and no value")
		}
		for _, n := range []*int64{c.Least, c.Most} {
			if n != nil && (*n < 0 || *n > maxNumber) {
				return errors.New("least and most have to be 0 or more")
			}
		}
	case Fork, Backfill:
		if c.Value != "" || c.Least != nil || c.Most != nil {
			return errors.New("it has neither value nor least nor most")
		}
	default:
		return errors.New("there is no such condition")
	}
	texts := c.Fact == Keyword || c.Fact == Expression
	if c.In != "" && (!texts || c.In != description && c.In != fileName) {
		return fmt.Errorf("in is %q, want %q or %q, of a keyword or regexp only", c.In, description, fileName)
	}
	if c.Fact == Expression {
		if _, err := syntax.Parse(c.Value, syntax.Perl); err != nil {
			return err
		}
		if n := c.instructions(); n > maxProgram {
			return fmt.Errorf("the regular expression is too complicated: it has %d steps, more than %d", n, maxProgram)
		}
	}
	return nil
}

// instructions returns the number of steps that an expression has for each character; 0 for
// other conditions.
func (c Condition) instructions() int {
	if c.Fact != Expression || len(c.Value) > maxValue {
		return 0
	}
	parsed, err := syntax.Parse(c.Value, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}
