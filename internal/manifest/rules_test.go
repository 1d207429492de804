package manifest_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/manifest"
	"gistdeal/internal/rules"
)

var someRules = rules.Set{Rules: []rules.Rule{
	{Name: "infra", Action: gistdeal.RuleCreate, Any: []rules.Condition{{Fact: rules.Language, Value: "HCL"}, {Fact: rules.Size, Least: new(int64(100))}}, Stage: "New", Title: "{{.Login}}", Fields: []rules.Field{{Field: "Topic", Template: "x", OnEdit: gistdeal.EditUpdate}}, OnDelete: gistdeal.DeleteStage, DeleteStage: "Done"},
	{Name: "forks", Off: true, Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Fork}}},
}, EverythingElse: rules.LastRule{UserDay: 5, RuleDay: 100}}

func TestRulesAreTheSameAfterExportAndImport(t *testing.T) {
	t.Parallel()
	saved := someRules
	saved.Rules = slices.Clone(someRules.Rules)
	saved.Rules[0].StageID, saved.Rules[0].DeleteStageID = 7, 8
	saved.Rules[0].Fields = []rules.Field{{Field: "Topic", Template: "x", OnEdit: gistdeal.EditUpdate, Code: "c1", Type: "varchar"}}
	var text bytes.Buffer
	if err := manifest.WriteRules(&text, saved); err != nil {
		t.Fatal(err)
	}
	read, err := manifest.ReadRules(text.Bytes())
	if err != nil || !reflect.DeepEqual(read, someRules) {
		t.Errorf("%+v, want %+v, %v\n%s", read, someRules, err, &text)
	}
	if d := manifest.CompareRules(saved, read); d != "" {
		t.Errorf("they differ: %s", d)
	}
}

func TestTheDifferencesOfRulesAreNamed(t *testing.T) {
	t.Parallel()
	a, b, c := someRules.Rules[0], someRules.Rules[1], rules.Rule{Name: "all", Action: gistdeal.RuleHold}
	changed := b
	changed.Off = false
	for want, sets := range map[string][2][]rules.Rule{
		"":                        {{a, b}, {a, b}},
		"+ all":                   {{a}, {a, c}},
		"~ forks":                 {{a, b}, {a, changed}},
		"- infra":                 {{a, b}, {b}},
		"in another order":        {{a, b}, {b, a}},
		"+ all, ~ forks, - infra": {{a, b}, {c, changed}},
	} {
		if got := manifest.CompareRules(rules.Set{Rules: sets[0]}, rules.Set{Rules: sets[1]}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := manifest.CompareRules(rules.Set{}, rules.Set{EverythingElse: rules.LastRule{UserDay: 1}}); got != "~ everything else" {
		t.Errorf("%q", got)
	}
}

func TestAFileOfRulesWithMistakesIsRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"rules:\n- name: a\n  action: create\n  colour: red\n": "line 4", "rules:\n- name: a\n": "the action is", "version: 2\nrules: []\n": "version 2", "a: b\n": "line 1",
	} {
		if _, err := manifest.ReadRules([]byte(text)); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

func TestAFileReplacesTheRulesThatDiffer(t *testing.T) {
	t.Parallel()
	w := newSQLite(t)
	const file = "version: 1\nrules:\n- {name: forks, action: skip, all: [{fact: fork}]}\n- {name: go, action: hold, any: [{fact: language, value: Go}]}\neverything_else: {per_day: 50}\n"
	if got := w.apply(file, false); got != "rules set\n" {
		t.Errorf("%q", got)
	}
	if d := w.compare(file, false); len(d) != 0 {
		t.Errorf("applied, it differs: %+v", d)
	}
	exported := w.export()
	if d := w.compare(exported, false); len(d) != 0 || !strings.Contains(exported, "name: forks") || !strings.Contains(exported, "per_day: 50") {
		t.Errorf("exported, it differs: %+v\n%s", d, exported)
	}
	if d := w.compare("version: 1\nrules: []\n", false); len(d) != 1 || d[0].Action != manifest.Rules || d[0].From != "version 1" || d[0].To != "- forks, - go, ~ everything else" {
		t.Errorf("without rules: %+v", d)
	}
	if d := w.compare("version: 1\n", false); len(d) != 0 {
		t.Errorf("a file that does not name rules: %+v", d)
	}
}
