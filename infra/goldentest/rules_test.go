package goldentest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule is a rule of AWS that neither Terraform nor the stand-in for its provider
// checks: an apply would fail minutes after its start, or do something else.
type rule struct {
	name   string
	source string // a page of docs.aws.amazon.com, or what else says so
	// broken lists the resources that break the rule.
	broken func(p reviewedPlan) []string
	// refused are changes of the typical plan that break it.
	refused []change
}

// change gives an argument of a resource another value; the path is as in
// "health_check.0.timeout". A resource that does not exist is added.
type change struct {
	address, path string
	value         any
}

// each calls visit with the resources of a type, in order.
func (p reviewedPlan) each(kind string, visit func(address string, r resource)) {
	for _, address := range slices.Sorted(maps.Keys(p.Resources)) {
		if values, _ := p.Resources[address].(map[string]any); strings.HasPrefix(address, kind+".") {
			visit(address, values)
		}
	}
}

// resource has the planned values of one resource.
type resource map[string]any

// at returns the value at a path, nil if there is none.
func (r resource) at(path string) any {
	var value any = map[string]any(r)
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text returns the value at a path as text, "" if there is none.
func (r resource) text(path string) string {
	if value := r.at(path); value != nil {
		return fmt.Sprint(value)
	}
	return ""
}

// number returns the value at a path, or fallback if there is none.
func (r resource) number(path string, fallback float64) float64 {
	switch v := r.at(path).(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return fallback
}

func (r resource) list(path string) []any {
	list, _ := r.at(path).([]any)
	return list
}

// set puts a value at a path, whose end may be new.
func (r resource) set(path string, value any) {
	parent, last := map[string]any(r), path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, _ = r.at(path[:i]).(map[string]any)
		last = path[i+1:]
	}
	parent[last] = value
}

// golden returns a reviewed plan.
func golden(t *testing.T, set string) reviewedPlan {
	t.Helper()
	text, err := os.ReadFile("../golden/plan-" + set + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var p reviewedPlan
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestThePlansKeepTheRulesOfAWS checks the reviewed plans, which are those that
// Terraform makes (TestThePlansAreTheReviewedOnes).
func TestThePlansKeepTheRulesOfAWS(t *testing.T) {
	t.Parallel()
	for set := range sets {
		p := golden(t, set)
		for _, r := range rules() {
			for _, why := range r.broken(p) {
				t.Errorf("%s: %s: %s (%s)", set, r.name, why, r.source)
			}
		}
	}
}

func TestEachRuleOfAWSRefusesItsExamples(t *testing.T) {
	t.Parallel()
	for _, r := range rules() {
		if r.source == "" || len(r.refused) == 0 {
			t.Errorf("%s has no source or no example", r.name)
		}
		for _, c := range r.refused {
			p := golden(t, "typical")
			values, _ := p.Resources[c.address].(map[string]any)
			if values == nil {
				values = map[string]any{}
				p.Resources[c.address] = values
			}
			if c.path == "" {
				p.Resources[c.address] = c.value
			} else {
				resource(values).set(c.path, c.value)
			}
			if len(r.broken(p)) == 0 {
				t.Errorf("%s: %s may have %v as %s", r.name, c.address, c.value, c.path)
			}
		}
	}
}

func rules() []rule {
	return slices.Concat(rulesOfNames(), rulesOfTheNetwork(), rulesOfTheWay(), rulesOfMachines(), rulesOfTheRest())
}

// all is a rule on each resource of a type: keeps returns "" or a complaint.
func all(kind string, keeps func(r resource) string) func(reviewedPlan) []string {
	return func(p reviewedPlan) (broken []string) {
		p.each(kind, func(address string, r resource) {
			if why := keeps(r); why != "" {
				broken = append(broken, address+" "+why)
			}
		})
		return broken
	}
}

// unique is a rule on resources of some types: no two have the same key.
func unique(key func(r resource) string, kinds ...string) func(reviewedPlan) []string {
	return func(p reviewedPlan) (broken []string) {
		seen := map[string]string{}
		for _, kind := range kinds {
			p.each(kind, func(address string, r resource) {
				k := kind + " " + key(r)
				if other, ok := seen[k]; ok {
					broken = append(broken, fmt.Sprintf("%s and %s are both %q", other, address, k))
				}
				seen[k] = address
			})
		}
		return broken
	}
}

// within says whether the value at a path is in a range.
func within(path string, least, most float64) func(resource) string {
	return func(r resource) string {
		if n := r.number(path, least); n < least || n > most {
			return fmt.Sprintf("has %v as %s, not %v to %v", n, path, least, most)
		}
		return ""
	}
}

// first returns the first complaint.
func first(checks ...func(resource) string) func(resource) string {
	return func(r resource) string {
		for _, check := range checks {
			if why := check(r); why != "" {
				return why
			}
		}
		return ""
	}
}
