package rules_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/rules"
)

// expressionRule returns rules of one expression, and whether they match a description.
func expressionRule(t *testing.T, expression string) func(description string) bool {
	t.Helper()
	r := rulesOf(t, rules.Rule{Name: "one", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Expression, Value: expression, In: "description"}}})
	return func(description string) bool { return r.Decide(rules.Facts{Description: description}).Rule == "one" }
}

func TestAnExpressionThatListsTextsMatchesAsAnyOther(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	text := func(n int, from ...string) string {
		var all strings.Builder
		for range 1 + random.IntN(n) {
			all.WriteString(pick(from...))
		}
		return all.String()
	}
	matched := 0
	for range 1_500 {
		var list []string
		for range 1 + random.IntN(3) {
			list = append(list, pick("", "", `\b`, "^", `\B`)+text(3, "a", "A", "k", "K", "ö", "σ", `\.`, "-", "[ab]", "[Kk]", "[^a]", "(a|b)?", "k+", "(?:aa){2}", " ", `\b`)+pick("", "", `\b`, "$"))
		}
		expression := pick("", "(?i)", "(?m)", "(?i:a)", ".*") + pick("", `\b`) + "(" + strings.Join(list, "|") + ")" + pick("", `\b`, ".*", "$")
		ours, golangs := expressionRule(t, expression), regexp.MustCompile(expression)
		for range 6 {
			description := text(12, "a", "A", "b", "k", "K", "ö", "Ö", "σ", "ς", ".", "-", " ", "\n")
			want := golangs.MatchString(description)
			if want {
				matched++
			}
			if got := ours(description); got != want {
				t.Errorf("%s matches %q: %v, want %v", expression, description, got, want)
			}
		}
	}
	if matched < 1_000 {
		t.Errorf("%d of 9000 descriptions match, want more", matched)
	}
	for _, description := range []string{"\u212aube", "di\u017fk"} { // The sign of Kelvin and a long s.
		for _, expression := range []string{"(?i)(kube|disk)", "(?i)(kube|disk)s*$"} {
			if !expressionRule(t, expression)(description) {
				t.Errorf("%s does not match %q", expression, description)
			}
		}
	}
}

// words are those of realistic expressions: 20 of them take the 200 bytes of a condition.
var words = strings.Fields("terraform pulumi ansible chef puppet helm kubectl docker podman nomad consul vault packer vagrant salt crossplane argo flux istio envoy")

func TestSetsThatPeopleWriteAreAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]rules.Condition{
		"20 alternatives":    {Fact: rules.Expression, Value: strings.Join(words, "|")},
		"whole words":        {Fact: rules.Expression, Value: `(?i)\b(` + strings.Join(words, "|") + `)\b`},
		"endings":            {Fact: rules.Expression, Value: `(?i)\.(tf|tfvars|hcl|ya?ml|json|toml|ini|conf|cfg|env|properties|xml|lock|sum|mod|gradle|sbt|cabal|csproj|sln)$`, In: "file name"},
		"around words":       {Fact: rules.Expression, Value: ".*(" + strings.Join(words, "|") + ").*"},
		"keywords":           {Fact: rules.Keyword, Value: "a keyword of 60 bytes, which is more than people write, is ok"},
		"patterns of files":  {Fact: rules.FileName, Value: "*docker*.y*ml"},
		"patterns of logins": {Fact: rules.Login, Value: "*-corp"},
	} {
		for _, conditions := range []int{1, 2} {
			var set rules.Set
			for i := range rules.MaxRules {
				r := rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleCreate, Any: []rules.Condition{c}}
				if conditions == 2 {
					r.None = []rules.Condition{{Fact: rules.Keyword, Value: "backup"}}
				}
				set.Rules = append(set.Rules, r)
			}
			if err := set.Check(); err != nil {
				t.Errorf("%d rules with %s: %v", len(set.Rules), name, err)
			}
		}
	}
	var set rules.Set
	for i := range 20 {
		set.Rules = append(set.Rules, rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleCreate, Any: []rules.Condition{{Fact: rules.Expression, Value: `v\d+\.\d+`}}})
	}
	if err := set.Check(); err != nil {
		t.Errorf("rules with other expressions: %v", err)
	}
}

func TestTheDearestRuleOfASetThatTakesTooLongIsNamed(t *testing.T) {
	t.Parallel()
	var set rules.Set
	for i := range 60 {
		set.Rules = append(set.Rules, rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleCreate, Any: []rules.Condition{{Fact: rules.Expression, Value: "a+b"}}})
	}
	set.Rules[3].Any[0].Value = "(a+a+){9}"
	err := set.Check()
	if gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), `the rule "rule 3" has the most of them`) || !strings.Contains(err.Error(), "(terraform|pulumi)") {
		t.Errorf("%v, want the rule and advice", err)
	}
}
