package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gistdeal"
)

// Bounds of a set, so that a decision takes few steps whatever the set contains.
const (
	MaxRules         = 200
	maxConditions    = 500    // of all rules
	maxOfRule        = 50     // conditions in one list of a rule
	maxValue         = 200    // bytes of a condition's value
	maxSteps         = 72_000 // of all conditions
	maxProgram       = 220    // instructions of an expression
	maxTemplate      = 2_000  // bytes
	maxTemplateSteps = 1_000  // of all templates of a rule
	maxFields        = 20     // of a rule
	maxName          = 100    // runes of a rule's name
	maxTargetName    = 255    // bytes
	maxNumber        = 1 << 40
)

// Check returns an Invalid error that names all mistakes of the set, or nil. It costs little
// for any set: it parses no condition if there are too many, counts the steps of expressions
// without compiling them, and looks at no further condition after too many steps.
func (s Set) Check() error {
	if err := s.sizeMistakes(); err != nil {
		return &gistdeal.Error{Kind: gistdeal.Invalid, Err: err}
	}
	mistakes := []error{}
	names, steps := map[string]bool{}, counter{}
	for i, r := range s.Rules {
		steps.begin(r.Name)
		for _, err := range r.mistakes(&steps) {
			mistakes = append(mistakes, fmt.Errorf("rule %d (%q): %w", i+1, r.Name, err))
		}
		if names[r.Name] {
			mistakes = append(mistakes, fmt.Errorf("rule %d: there are two rules named %q", i+1, r.Name))
		}
		names[r.Name] = true
	}
	if err := checkDay(s.EverythingElse.UserDay, s.EverythingElse.RuleDay); err != nil {
		mistakes = append(mistakes, fmt.Errorf("%s: %w", gistdeal.EverythingElse, err))
	}
	if err := steps.mistake(); err != nil {
		mistakes = append(mistakes, err)
	}
	if len(mistakes) == 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Invalid, Err: errors.Join(mistakes...)}
}

// sizeMistakes returns an error if the set has too many rules or conditions.
func (s Set) sizeMistakes() error {
	var err error
	if len(s.Rules) > MaxRules {
		err = fmt.Errorf("there are %d rules, more than %d", len(s.Rules), MaxRules)
	}
	conditions := 0
	for _, r := range s.Rules {
		conditions += len(r.All) + len(r.Any) + len(r.None)
	}
	if conditions > maxConditions {
		err = errors.Join(err, fmt.Errorf("the rules have %d conditions, more than %d", conditions, maxConditions))
	}
	return err
}

// mistakes adds the steps of the rule's conditions to steps.
func (r Rule) mistakes(steps *counter) (mistakes []error) {
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
			if err := c.check(steps); err != nil {
				add("condition %q: %w", c.Fact, err)
			}
		}
	}
	for _, name := range []string{r.Pipeline, r.Stage, r.Owner, r.Label, r.DeletePipeline, r.DeleteStage} {
		if len(name) > maxTargetName || strings.TrimSpace(name) != name {
			add("%.60q is not a possible name in Pipedrive, want at most %d bytes without spaces at the ends", name, maxTargetName)
		}
	}
	if !slices.Contains([]gistdeal.Priority{gistdeal.PriorityHigh, gistdeal.PriorityNormal, gistdeal.PriorityLow}, r.Priority) {
		add("the priority is %q, want high or low, or none for the normal one", r.Priority)
	}
	if r.Action == gistdeal.RuleSkip && (r.hasContent() || r.Priority != "" || r.UserDay != 0 || r.RuleDay != 0) {
		add("a rule that skips gists has no target, no templates, no priority and no limits")
	}
	if err := checkDay(r.UserDay, r.RuleDay); err != nil {
		mistakes = append(mistakes, err)
	}
	mistakes = append(mistakes, r.followUpMistakes()...)
	return append(mistakes, r.templateMistakes()...)
}

// checkDay returns an error if these are no limits of a day.
func checkDay(limits ...int) error {
	const most = 1_000_000
	if slices.Min(limits) < 0 || slices.Max(limits) > most {
		return fmt.Errorf("the deals of a day have to be 0 to %d", most)
	}
	return nil
}

// followUpMistakes returns the mistakes in the effects of edits and deletions.
func (r Rule) followUpMistakes() (mistakes []error) {
	for _, on := range append(r.onEdits(), r.TitleOnEdit) {
		if !slices.Contains([]gistdeal.OnEdit{gistdeal.EditLeave, gistdeal.EditUpdate, gistdeal.EditNote}, on) {
			mistakes = append(mistakes, fmt.Errorf("on_edit is %q, want update or note, or nothing", on))
		}
	}
	if r.TitleOnEdit != gistdeal.EditLeave && r.Title == "" {
		mistakes = append(mistakes, errors.New("title_on_edit needs a title: the usual one does not depend on the gist"))
	}
	if !slices.Contains([]gistdeal.OnDelete{gistdeal.DeleteLeave, gistdeal.DeleteNote, gistdeal.DeleteStage}, r.OnDelete) {
		mistakes = append(mistakes, fmt.Errorf("on_delete is %q, want note or stage, or nothing", r.OnDelete))
	}
	if (r.OnDelete == gistdeal.DeleteStage) != (r.DeleteStage != "") || r.DeleteStage == "" && r.DeletePipeline != "" {
		mistakes = append(mistakes, errors.New("on_delete: stage and on_delete_stage belong together"))
	}
	if r.Action == gistdeal.RuleSkip && r.OnDelete != gistdeal.DeleteLeave {
		mistakes = append(mistakes, errors.New("a rule that skips gists has no on_delete"))
	}
	return mistakes
}

func (r Rule) onEdits() (all []gistdeal.OnEdit) {
	for _, f := range r.Fields {
		all = append(all, f.OnEdit)
	}
	return all
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
	if steps > maxTemplateSteps {
		mistakes = append(mistakes, fmt.Errorf("the templates have %d steps, more than %d; a function counts %d times, upper and lower twice as much, and what is in {{range .Files}} %d times", steps, maxTemplateSteps, functionSteps, templateFiles))
	}
	return mistakes
}

// ownFields are the fields by which deals are recognised: a template must not change them.
var ownFields = []string{"Gist ID", "Gist Access URL"}

// check returns why the condition is not possible, and adds its steps.
func (c Condition) check(steps *counter) error {
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
	return steps.add(c)
}
