package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// Rules are a set that is ready for use. They are safe for concurrent use.
type Rules struct {
	Version int64
	rules   []rule
	last    LastRule
	details bool // a decision may depend on facts that lists of gists do not have
}

// rule is a Rule that is ready for use.
type rule struct {
	Rule
	all, any, none []condition
	title          checked
	fields         []fieldTemplate
	paused         string // why its deals have to wait; "" if they need not
}

type fieldTemplate struct {
	Field
	template checked
	target   gistdeal.CatalogField
}

// New returns the rules of a set with that version. A rule whose stage, owner, label or
// field is not in the catalog any more is paused: its deals wait for approval, and no later
// rule decides about its gists. The error is that of Check.
func New(s Set, version int64, catalog gistdeal.Catalog) (*Rules, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	all := &Rules{Version: version, rules: make([]rule, len(s.Rules)), last: s.EverythingElse, details: len(s.NeedingDetails()) > 0}
	for i, r := range s.Rules {
		one, err := newRule(r, catalog)
		if err != nil {
			return nil, &gistdeal.Error{Kind: gistdeal.Invalid, Err: fmt.Errorf("rule %q: %w", r.Name, err)}
		}
		all.rules[i] = one
	}
	return all, nil
}

func newRule(r Rule, catalog gistdeal.Catalog) (one rule, err error) {
	one = rule{Rule: r, paused: catalogProblem(r, catalog)}
	for _, list := range []struct {
		from []Condition
		to   *[]condition
	}{{r.All, &one.all}, {r.Any, &one.any}, {r.None, &one.none}} {
		for _, c := range list.from {
			ready, err := compileCondition(c)
			if err != nil {
				return one, err
			}
			*list.to = append(*list.to, ready)
		}
	}
	if one.title, err = parseTemplate(r.Title); err != nil {
		return one, err
	}
	for _, f := range r.Fields {
		t, err := parseTemplate(f.Template)
		if err != nil {
			return one, err
		}
		target, _ := fieldByCode(catalog, f.Code)
		one.fields = append(one.fields, fieldTemplate{f, t, target})
	}
	return one, nil
}

// Problems returns why rules are paused, by their names.
func (r *Rules) Problems() map[string]string {
	problems := map[string]string{}
	for _, one := range r.rules {
		if one.paused != "" && !one.Off {
			problems[one.Name] = one.paused
		}
	}
	return problems
}

// Failed says why a rule does not match a gist.
type Failed struct {
	Rule string `json:"rule"`
	Why  string `json:"why" doc:"The first condition that does not hold, or that must not hold and does."`
}

// Decide returns what becomes of the deal of a gist.
func (r *Rules) Decide(f Facts) gistdeal.Decision {
	d, _ := r.decide(f, nil)
	return d
}

// Explain is Decide, and says why each rule before the one that decides does not match.
func (r *Rules) Explain(f Facts) (gistdeal.Decision, []Failed) {
	failed := []Failed{}
	d, _ := r.decide(f, &failed)
	if i := slices.IndexFunc(failed, func(f Failed) bool { return f.Rule == d.Rule }); i >= 0 { // It waits, and others were compared.
		failed = failed[:i]
	}
	return d, failed
}

// decide returns the decision, and the condition that it waits for; nil if it needs no more.
// Whether a rule skips a gist does not matter if the next one that matches skips it too.
func (r *Rules) decide(f Facts, failed *[]Failed) (gistdeal.Decision, *condition) {
	t := textOf(f)
	var open *rule         // the first one that matches or not, depending on
	var unknown *condition // a condition that is not known
	for i := range r.rules {
		one := &r.rules[i]
		m := one.match(t)
		if m.unknown != nil && open == nil {
			open, unknown = one, m.unknown
		}
		switch {
		case open != nil && m.problem == "" && one.Action != gistdeal.RuleSkip:
			return open.waitsFor(unknown, r.Version), unknown
		case m.unknown != nil:
			m.failed, m.problem = m.unknown, "not known: "
		case m.problem == "":
			return one.decision(f, r.Version), nil
		}
		if failed != nil {
			if m.failed != nil {
				m.problem += m.failed.String()
			}
			*failed = append(*failed, Failed{one.Name, m.problem})
		}
	}
	if open != nil {
		return open.waitsFor(unknown, r.Version), unknown
	}
	return gistdeal.Decision{Rule: gistdeal.EverythingElse, Version: r.Version, Action: gistdeal.RuleCreate, UserDay: r.last.UserDay, RuleDay: r.last.RuleDay}, nil
}

// waitsFor returns the decision of a rule that depends on a condition that is not known.
func (r *rule) waitsFor(c *condition, version int64) gistdeal.Decision {
	return gistdeal.Decision{
		Rule: r.Name, Version: version, Action: gistdeal.RuleHold, Priority: r.Priority,
		Reason: fmt.Sprintf("awaiting approval: the rule %q cannot decide, because this is not known: %s", r.Name, c),
	}
}

// match is the outcome of comparing a gist with a rule.
type match struct {
	failed  *condition // the first condition that keeps the rule from matching
	problem string     // what is wrong with it; "" if the rule matches
	unknown *condition // a condition that decides and whose fact is not known
}

// match compares a gist with the rule. A condition that is not known matters only if the
// others leave the decision to it.
func (r *rule) match(t *text) (m match) {
	if r.Off {
		return match{problem: "it is off"}
	}
	for i := range r.all {
		if c := &r.all[i]; c.unknown(t) {
			m.unknown = c
		} else if !c.holds(t) {
			return match{failed: c, problem: "not: "}
		}
	}
	for i := range r.none {
		if c := &r.none[i]; c.unknown(t) {
			m.unknown = c
		} else if c.holds(t) {
			return match{failed: c, problem: "but: "}
		}
	}
	var open *condition
	for i := range r.any {
		if c := &r.any[i]; c.unknown(t) {
			open = c
		} else if c.holds(t) {
			return m
		}
	}
	if len(r.any) > 0 && open == nil {
		return match{failed: &r.any[0], problem: "none holds, first: "}
	}
	if open != nil {
		m.unknown = open
	}
	return m
}

// decision returns the decision of a rule that matches.
func (r *rule) decision(f Facts, version int64) gistdeal.Decision {
	d := gistdeal.Decision{Rule: r.Name, Version: version, Action: r.Action, Priority: r.Priority, UserDay: r.UserDay, RuleDay: r.RuleDay}
	if r.Action == gistdeal.RuleSkip {
		d.Reason = fmt.Sprintf("the rule %q skips it", r.Name)
		return d
	}
	content, unknown, err := r.content(f) // Also of a deal that waits: a person may approve it.
	d.Content = content
	switch {
	case r.paused != "":
		d.Action, d.Reason = gistdeal.RuleHold, PausedReason(r.Name, r.paused)
	case len(unknown) > 0 && f.Unanswered != "":
		d.Action, d.Reason = gistdeal.RuleHold, fmt.Sprintf("awaiting approval: the rule %q: GitHub did not tell the first lines of the files: %s", r.Name, f.Unanswered)
	case err != nil:
		d.Action, d.Reason = gistdeal.RuleHold, fmt.Sprintf("awaiting approval: the rule %q: %v", r.Name, err)
	case r.Action == gistdeal.RuleHold:
		d.Reason = fmt.Sprintf("awaiting approval: the rule %q wants it", r.Name)
	}
	if r.paused == "" && f.Unanswered == "" {
		d.Unknown = unknown
	}
	return d
}

// PausedReason is the reason of a deal that waits because its rule is paused.
func PausedReason(rule, why string) string {
	return fmt.Sprintf("awaiting approval: the rule %q is paused: %s", rule, why)
}

// content returns the content of a deal; nil for the content without rules. It lacks the title
// and the fields that show first lines of files, if these are not known, and names them. The
// error is that of the first title or value that is not possible; the content lacks those too.
func (r *rule) content(f Facts) (_ *gistdeal.Content, unknown []string, failed error) {
	if !r.hasContent() {
		return nil, nil, nil
	}
	data := dataOf(f)
	c := &gistdeal.Content{StageID: r.StageID, OwnerID: r.OwnerID}
	if r.LabelID != 0 {
		c.LabelIDs = []int64{r.LabelID}
	}
	if r.title.lacks(f) {
		unknown = append(unknown, TitleName)
	} else if r.Title != "" {
		title, err := render(r.title.Template, data)
		if err != nil {
			title, failed = "", fmt.Errorf("title: %w", err)
		}
		c.Title = gistdeal.ShortText(strings.Join(strings.Fields(title), " "), 255)
	}
	for _, one := range r.fields {
		if one.template.lacks(f) {
			unknown = append(unknown, one.Field.Field)
			continue
		}
		value, err := one.value(data)
		if err != nil && failed == nil {
			failed = fmt.Errorf("field %q: %w", one.Field.Field, err)
		}
		if err == nil && value != nil {
			c.Fields = append(c.Fields, gistdeal.FieldValue{Code: one.Code, Name: one.Field.Field, Type: one.Type, Value: value})
		}
	}
	return c, unknown, failed
}

// TitleName names the title of a deal among its fields.
const TitleName = "title"

// lacks reports whether the template shows first lines that are not known.
func (c checked) lacks(f Facts) bool { return c.firstLines && !f.FirstLines }

// value returns the value of a field in the form of its type; nil if it is blank.
func (f fieldTemplate) value(d Data) (any, error) {
	text, err := render(f.template.Template, d)
	if err != nil || text == "" {
		return nil, err
	}
	switch f.Type {
	case "double":
		return number(text)
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, fmt.Errorf("%.40q is not a date like 2026-01-31", text)
		}
		return text, nil
	case "enum":
		return f.option(text)
	case "set":
		var ids []int64
		for name := range strings.SplitSeq(text, ",") {
			if strings.TrimSpace(name) == "" {
				continue
			}
			id, err := f.option(strings.TrimSpace(name))
			if err != nil {
				return nil, err
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if ids == nil {
			return nil, nil
		}
		return ids, nil
	}
	return gistdeal.ShortText(text, textLimits[f.Type]), nil
}

// option returns the id of the option with a name.
func (f fieldTemplate) option(name string) (int64, error) {
	for _, o := range f.target.Options {
		if strings.EqualFold(strings.TrimSpace(o.Name), name) {
			return o.ID, nil
		}
	}
	return 0, fmt.Errorf("the field has no option %.60q", name)
}

// textLimits are the longest texts of the types of fields, in runes. Pipedrive OpenAPI
// 2026-08-18.
var textLimits = map[string]int{"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}

// possibleTypes are the types of fields that a template can fill.
var possibleTypes = []string{"varchar", "varchar_auto", "phone", "text", "double", "date", "enum", "set"}
