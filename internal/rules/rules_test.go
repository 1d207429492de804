package rules_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// terraform is a gist with all facts.
var terraform = rules.Facts{
	GistID: "aa5a315d61ae9438b18d", Login: "Octocat", Tags: []string{"customer", "emea"}, Description: "How we deploy\nwith Terraform", Known: true,
	Files: []rules.File{{Name: "README.md", Language: "Markdown", Size: 100, Type: "text/markdown"}, {Name: "main.tf", Language: "HCL", Size: 900, Type: "text/plain"}},
	Fork:  new(false), CreatedAt: noon.Add(-50 * time.Hour), NoticedAt: noon,
}

var account = gistdeal.Catalog{
	Stages: []gistdeal.CatalogStage{{ID: 1, Name: "New", Pipeline: "Sales"}, {ID: 2, Name: "Warm", Pipeline: "Sales"}, {ID: 3, Name: "New", Pipeline: "Devrel"}},
	Owners: []gistdeal.CatalogEntry{{ID: 7, Name: "Ann"}, {ID: 8, Name: "Bob"}},
	Labels: []gistdeal.CatalogEntry{{ID: 9, Name: "Hot"}},
	Fields: []gistdeal.CatalogField{
		{Code: "c1", Name: "Language", Type: "varchar"},
		{Code: "c2", Name: "Bytes", Type: "double"},
		{Code: "c3", Name: "Published", Type: "date"},
		{Code: "c4", Name: "Topic", Type: "enum", Options: []gistdeal.CatalogEntry{{ID: 40, Name: "Infra"}, {ID: 41, Name: "Other"}}},
		{Code: "c5", Name: "Tags", Type: "set", Options: []gistdeal.CatalogEntry{{ID: 50, Name: "customer"}, {ID: 51, Name: "emea"}}},
		{Code: "c6", Name: "Person", Type: "people"},
		{Code: "c7", Name: "Gist ID", Type: "varchar"},
		{Code: "c8", Name: "Notes", Type: "text"},
	},
}

// rulesOf returns the rules of a set as it is after it was saved.
func rulesOf(t *testing.T, all ...rules.Rule) *rules.Rules {
	t.Helper()
	set, err := rules.Set{Rules: all}.Resolve(account)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rules.New(set, 3, account)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAConditionHoldsForTheGistsThatItDescribes(t *testing.T) {
	t.Parallel()
	unknown := rules.Facts{Login: "octocat"}
	for _, tt := range []struct {
		c           rules.Condition
		holds, none bool // for the gist, and for one of which nothing is known
	}{
		{rules.Condition{Fact: rules.Tag, Value: "Customer"}, true, false},
		{rules.Condition{Fact: rules.Tag, Value: "custom"}, false, false},
		{rules.Condition{Fact: rules.Login, Value: "octo*"}, true, true},
		{rules.Condition{Fact: rules.Login, Value: "o*c*t"}, true, true},
		{rules.Condition{Fact: rules.Login, Value: "octo"}, false, false},
		{rules.Condition{Fact: rules.Login, Value: "*"}, true, true},
		{rules.Condition{Fact: rules.Language, Value: "hcl"}, true, false},
		{rules.Condition{Fact: rules.Language, Value: "Go"}, false, false},
		{rules.Condition{Fact: rules.FileName, Value: "*.TF"}, true, false},
		{rules.Condition{Fact: rules.FileName, Value: "*.tfx"}, false, false},
		{rules.Condition{Fact: rules.Keyword, Value: "terraFORM"}, true, false},
		{rules.Condition{Fact: rules.Keyword, Value: "main.tf"}, true, false},
		{rules.Condition{Fact: rules.Keyword, Value: "main.tf", In: "description"}, false, false},
		{rules.Condition{Fact: rules.Keyword, Value: "terraform", In: "file name"}, false, false},
		{rules.Condition{Fact: rules.Expression, Value: `(?i)\bterra(form|grunt)\b`}, true, false},
		{rules.Condition{Fact: rules.Expression, Value: `^main\.`, In: "file name"}, false, false},
		{rules.Condition{Fact: rules.Expression, Value: `(?m)^main\.`, In: "file name"}, true, false},
		{rules.Condition{Fact: rules.FileCount, Least: new(int64(2)), Most: new(int64(2))}, true, false},
		{rules.Condition{Fact: rules.FileCount, Least: new(int64(3))}, false, false},
		{rules.Condition{Fact: rules.Size, Least: new(int64(1000))}, true, false},
		{rules.Condition{Fact: rules.Size, Most: new(int64(999))}, false, false},
		{rules.Condition{Fact: rules.Age, Least: new(int64(2)), Most: new(int64(2))}, true, false},
		{rules.Condition{Fact: rules.Fork}, false, false},
		{rules.Condition{Fact: rules.Backfill}, false, false},
	} {
		r := rulesOf(t, rules.Rule{Name: "one", Action: gistdeal.RuleSkip, All: []rules.Condition{tt.c}})
		if got := r.Decide(terraform).Action == gistdeal.RuleSkip; got != tt.holds {
			t.Errorf("%v: %v, want %v", tt.c, got, tt.holds)
		}
		if got := r.Decide(unknown).Action == gistdeal.RuleSkip; got != tt.none {
			t.Errorf("%v of a gist without facts: %v, want %v", tt.c, got, tt.none)
		}
	}
}

func TestADealWaitsIfItsRuleDependsOnAFactThatIsNotKnown(t *testing.T) {
	t.Parallel()
	f := terraform
	f.Fork = nil
	fork, yes, no := rules.Condition{Fact: rules.Fork}, rules.Condition{Fact: rules.Keyword, Value: "terraform"}, rules.Condition{Fact: rules.Keyword, Value: "pulumi"}
	list := func(all ...rules.Condition) []rules.Condition { return all }
	for name, tt := range map[string]struct {
		rule rules.Rule
		want gistdeal.RuleAction // create is of no rule
	}{
		"all depends on it":           {rules.Rule{All: list(yes, fork)}, gistdeal.RuleHold},
		"all fails without it":        {rules.Rule{All: list(fork, no)}, gistdeal.RuleCreate},
		"any depends on it":           {rules.Rule{Any: list(no, fork)}, gistdeal.RuleHold},
		"any holds without it":        {rules.Rule{Any: list(fork, yes)}, gistdeal.RuleSkip},
		"none depends on it":          {rules.Rule{None: list(no, fork)}, gistdeal.RuleHold},
		"none fails without it":       {rules.Rule{None: list(fork, yes)}, gistdeal.RuleCreate},
		"all depends, and any fails":  {rules.Rule{All: list(fork), Any: list(no)}, gistdeal.RuleCreate},
		"all depends, and none fails": {rules.Rule{All: list(fork), None: list(yes)}, gistdeal.RuleCreate},
		"it is off":                   {rules.Rule{All: list(fork), Off: true}, gistdeal.RuleCreate},
	} {
		tt.rule.Name, tt.rule.Action = "one", gistdeal.RuleSkip
		d := rulesOf(t, tt.rule).Decide(f)
		if d.Action != tt.want || d.Action == gistdeal.RuleHold && (!gistdeal.AwaitsByRule(d.Reason) || !strings.HasSuffix(d.Reason, "not known: the gist is a fork")) {
			t.Errorf("%s: %+v, want %s", name, d, tt.want)
		}
	}
}

func TestAnUnknownFactDoesNotMatterIfTheGistIsSkippedEitherWay(t *testing.T) {
	t.Parallel()
	f := terraform
	f.Fork = nil
	forks := rules.Rule{Name: "forks", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Fork}}}
	rule := func(name string, action gistdeal.RuleAction) rules.Rule {
		return rules.Rule{Name: name, Action: action}
	}
	for _, tt := range []struct {
		rules []rules.Rule
		want  string // rule and action
	}{
		{[]rules.Rule{forks, rule("all", gistdeal.RuleSkip)}, "all skip"},
		{[]rules.Rule{forks, rule("all", gistdeal.RuleCreate)}, "forks hold"},
		{[]rules.Rule{forks, rule("all", gistdeal.RuleHold), rule("rest", gistdeal.RuleSkip)}, "forks hold"},
		{[]rules.Rule{{Name: "wanted", Action: gistdeal.RuleCreate, All: forks.All}, rule("all", gistdeal.RuleSkip)}, "wanted hold"},
	} {
		r := rulesOf(t, tt.rules...)
		d, failed := r.Explain(f)
		if got := d.Rule + " " + string(d.Action); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.rules, got, tt.want)
		}
		if d.Rule == "all" && (len(failed) != 1 || failed[0].Why != "not known: the gist is a fork") {
			t.Errorf("%+v, want the rule that may match", failed)
		}
		if d.Action == gistdeal.RuleHold && len(failed) > 0 {
			t.Errorf("%+v, want no rule before the first one", failed)
		}
	}
}

func TestTheFirstRuleThatMatchesDecidesAndTheOthersSayWhyNot(t *testing.T) {
	t.Parallel()
	keyword := func(s string) []rules.Condition { return []rules.Condition{{Fact: rules.Keyword, Value: s}} }
	r := rulesOf(t,
		rules.Rule{Name: "off", Off: true, Action: gistdeal.RuleSkip},
		rules.Rule{Name: "all", Action: gistdeal.RuleSkip, All: append(keyword("terraform"), keyword("pulumi")...)},
		rules.Rule{Name: "none", Action: gistdeal.RuleSkip, All: keyword("terraform"), None: keyword("deploy")},
		rules.Rule{Name: "any", Action: gistdeal.RuleSkip, Any: append(keyword("x1"), keyword("x2")...)},
		rules.Rule{Name: "infra", Action: gistdeal.RuleHold, Any: append(keyword("x1"), keyword("terraform")...), UserDay: 2, RuleDay: 5},
		rules.Rule{Name: "later", Action: gistdeal.RuleSkip},
	)
	d, failed := r.Explain(terraform)
	want := gistdeal.Decision{Rule: "infra", Version: 3, Action: gistdeal.RuleHold, Reason: `awaiting approval: the rule "infra" wants it`, UserDay: 2, RuleDay: 5}
	if !reflect.DeepEqual(d, want) || !reflect.DeepEqual(r.Decide(terraform), want) {
		t.Errorf("%+v, want %+v", d, want)
	}
	if got, want := fmt.Sprint(failed), `[{off it is off} {all not: the description or a file name contains "pulumi"} `+
		`{none but: the description or a file name contains "deploy"} {any none holds, first: the description or a file name contains "x1"}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWithoutAMatchTheDealIsCreatedAsIfThereWereNoRules(t *testing.T) {
	t.Parallel()
	for _, r := range []*rules.Rules{rulesOf(t), rulesOf(t, rules.Rule{Name: "go", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Language, Value: "Go"}}})} {
		if d := r.Decide(terraform); d.Rule != gistdeal.EverythingElse || d.Action != gistdeal.RuleCreate || d.Content != nil || d.Version != 3 {
			t.Errorf("%+v", d)
		}
	}
}

func TestARuleFillsTheTitleTheTargetAndTheFields(t *testing.T) {
	t.Parallel()
	r := rulesOf(t, rules.Rule{
		Name: "infra", Action: gistdeal.RuleCreate, Pipeline: "devrel", Owner: "ann", Label: "hot",
		Title: `{{.Login}}: {{short 10 (line .Description)}} ({{len .Files}} files)`,
		Fields: []rules.Field{
			{Field: "Language", Template: `{{.Language}}`},
			{Field: "Bytes", Template: `{{.Size}}`},
			{Field: "Published", Template: `{{date .Created}}`},
			{Field: "Topic", Template: `{{if contains "Terraform" .Description}}infra{{else}}other{{end}}`},
			{Field: "Tags", Template: `{{join "," .Tags}}`},
			{Field: "Notes", Template: `{{range .Files}}{{.Name}} of {{$.Login}}: {{.Size}}; {{end}}{{/* nothing */}}`},
		},
	})
	want := gistdeal.Content{
		Title: "Octocat: How we de… (2 files)", StageID: 3, OwnerID: 7, LabelIDs: []int64{9},
		Fields: []gistdeal.FieldValue{
			{Code: "c1", Name: "Language", Type: "varchar", Value: "Markdown"},
			{Code: "c2", Name: "Bytes", Type: "double", Value: 1000.0},
			{Code: "c3", Name: "Published", Type: "date", Value: "2026-11-28"},
			{Code: "c4", Name: "Topic", Type: "enum", Value: int64(40)},
			{Code: "c5", Name: "Tags", Type: "set", Value: []int64{50, 51}},
			{Code: "c8", Name: "Notes", Type: "text", Value: "README.md of Octocat: 100; main.tf of Octocat: 900;"},
		},
	}
	if d := r.Decide(terraform); d.Content == nil || !reflect.DeepEqual(*d.Content, want) {
		t.Errorf("%+v, want %+v", d.Content, want)
	}
	if d := r.Decide(rules.Facts{GistID: "1", Login: "a"}); d.Action != gistdeal.RuleCreate || len(d.Content.Fields) != 3 {
		t.Errorf("a gist without facts: %+v, %+v; blank values are left out", d, d.Content)
	}
}

func TestAValueThatItsFieldCannotHaveMakesTheDealWait(t *testing.T) {
	t.Parallel()
	for template, field := range map[string]string{`{{.Login}}`: "Bytes", `{{.Description}}`: "Published", `{{.GistID}}`: "Topic", `a, {{.Login}}`: "Tags"} {
		r := rulesOf(t, rules.Rule{Name: "one", Action: gistdeal.RuleCreate, Title: "a title", Fields: []rules.Field{{Field: field, Template: template}}})
		// A person who approves the deal gets what the rule says, without the value.
		want := &gistdeal.Content{Title: "a title"}
		if d := r.Decide(terraform); d.Action != gistdeal.RuleHold || !strings.Contains(d.Reason, field) || !reflect.DeepEqual(d.Content, want) {
			t.Errorf("%s: %+v, want the content %+v", field, d, want)
		}
	}
}

func TestTemplatesShowFirstLinesOfFiles(t *testing.T) {
	t.Parallel()
	r := rulesOf(t, rules.Rule{Name: "one", Action: gistdeal.RuleCreate, Title: "{{.FirstLines | line}}", Fields: []rules.Field{
		{Field: "Notes", Template: "{{range .Files}}{{.Name}}: {{.FirstLines | lines 2}}; {{end}}"}, {Field: "Language", Template: "{{.Language}}"},
	}})
	f := terraform
	f.FirstLines = true
	f.Files = slices.Clone(f.Files)
	f.Files[1].FirstLines = "one\ntwo\nthree"
	d := r.Decide(f)
	if d.Action != gistdeal.RuleCreate || d.Unknown != nil || d.Content.Title != "one" || len(d.Content.Fields) != 2 || d.Content.Fields[0].Value != "README.md: ; main.tf: one\ntwo;" || r.NeedsDetails(f) {
		t.Errorf("%+v, %+v", d, d.Content)
	}
	d = r.Decide(terraform)
	if d.Action != gistdeal.RuleCreate || !slices.Equal(d.Unknown, []string{"title", "Notes"}) || d.Content.Title != "" || len(d.Content.Fields) != 1 || !r.NeedsDetails(terraform) {
		t.Errorf("before GitHub is asked: %+v, %+v", d, d.Content)
	}
	f = terraform
	f.Unanswered = "not found"
	d = r.Decide(f)
	if d.Action != gistdeal.RuleHold || d.Reason != `awaiting approval: the rule "one": GitHub did not tell the first lines of the files: not found` || d.Unknown != nil || len(d.Content.Fields) != 1 {
		t.Errorf("without an answer: %+v, %+v", d, d.Content)
	}
}

func TestOnlyDecisionsThatNeedItAskGitHub(t *testing.T) {
	t.Parallel()
	shows := rules.Rule{Name: "shows", Action: gistdeal.RuleCreate, Title: "{{.FirstLines}}"}
	off, skip := shows, rules.Rule{Name: "skip", Action: gistdeal.RuleSkip}
	off.Off = true
	paused := shows
	paused.Label, paused.LabelID = "Hot", 10
	for name, tt := range map[string]struct {
		set   []rules.Rule
		needs bool
	}{
		"no rules": {}, "it shows them": {[]rules.Rule{shows}, true}, "it is off": {set: []rules.Rule{off}},
		"another one decides": {set: []rules.Rule{skip, shows}}, "it is paused": {set: []rules.Rule{paused}},
	} {
		r, err := rules.New(rules.Set{Rules: tt.set}, 1, account)
		if err != nil || r.NeedsDetails(terraform) != tt.needs {
			t.Errorf("%s: it needs them: %v, %v", name, !tt.needs, err)
		}
	}
	if got := (rules.Set{Rules: []rules.Rule{shows, skip, {Name: "forks", None: []rules.Condition{{Fact: rules.Fork}}}}}).NeedingDetails(); !slices.Equal(got, []string{"shows", "forks"}) {
		t.Errorf("%v need requests", got)
	}
}

func TestTextsAreCutToTheLimitOfTheirField(t *testing.T) {
	t.Parallel()
	r := rulesOf(t, rules.Rule{Name: "one", Action: gistdeal.RuleCreate, Title: `{{.Description}}`, Fields: []rules.Field{{Field: "Language", Template: `{{.Description}}`}}})
	f := terraform
	f.Description = "a\x00b\xff\n" + strings.Repeat("ü", 3_000)
	c := r.Decide(f).Content
	for _, text := range []string{c.Title, c.Fields[0].Value.(string)} {
		if n := len([]rune(text)); n != 255 || !strings.HasSuffix(text, "ü…") || strings.Contains(text, "\x00") {
			t.Errorf("%d characters: %.20q", n, text)
		}
	}
	if strings.Contains(c.Title, "\n") {
		t.Errorf("the title has several lines: %.20q", c.Title)
	}
}

func TestARuleThatLacksSomethingInPipedriveIsPausedAlone(t *testing.T) {
	t.Parallel()
	set, err := rules.Set{Rules: []rules.Rule{
		{Name: "one", Action: gistdeal.RuleCreate, All: []rules.Condition{{Fact: rules.Login, Value: "octo*"}}, Pipeline: "Sales", Stage: "Warm", Owner: "Bob", Label: "Hot", Fields: []rules.Field{{Field: "Language", Template: "x"}}},
		{Name: "two", Action: gistdeal.RuleCreate, Owner: "Ann"},
	}}.Resolve(account)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*gistdeal.Catalog){
		"its stage \"Sales / Warm\" was deleted": func(c *gistdeal.Catalog) { c.Stages = c.Stages[:1] },
		"its owner \"Bob\" is no active user":    func(c *gistdeal.Catalog) { c.Owners = c.Owners[:1] },
		"its label \"Hot\" was deleted":          func(c *gistdeal.Catalog) { c.Labels = nil },
		"its field \"Language\" was deleted":     func(c *gistdeal.Catalog) { c.Fields = c.Fields[1:] },
		"its field \"Language\" was of type varchar and is of type enum now": func(c *gistdeal.Catalog) {
			c.Fields = append([]gistdeal.CatalogField{{Code: "c1", Name: "Language", Type: "enum"}}, c.Fields[1:]...)
		},
	} {
		now := account
		change(&now)
		r, err := rules.New(set, 1, now)
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Decide(terraform); d.Rule != "one" || d.Action != gistdeal.RuleHold || d.Content == nil || !strings.Contains(d.Reason, what) || !strings.Contains(r.Problems()["one"], what) {
			t.Errorf("%s: %+v", what, d)
		}
		if d := r.Decide(rules.Facts{Login: "ann"}); d.Rule != "two" || d.Action != gistdeal.RuleCreate || len(r.Problems()) != 1 {
			t.Errorf("%s: the other rule: %+v, paused %v", what, d, r.Problems())
		}
	}
}

func TestWhatIsRenamedInPipedriveStaysTheSame(t *testing.T) {
	t.Parallel()
	before := rules.Set{Rules: []rules.Rule{{Name: "one", Action: gistdeal.RuleCreate, Pipeline: "Sales", Stage: "Warm", Owner: "Bob", Fields: []rules.Field{{Field: "Language", Template: "x"}}}}}
	set, err := before.Resolve(account)
	if err != nil {
		t.Fatal(err)
	}
	renamed := gistdeal.Catalog{
		Stages: []gistdeal.CatalogStage{{ID: 2, Name: "Hot", Pipeline: "Market"}}, Owners: []gistdeal.CatalogEntry{{ID: 8, Name: "Robert"}},
		Fields: []gistdeal.CatalogField{{Code: "c1", Name: "Main language", Type: "varchar"}},
	}
	r, err := rules.New(set, 1, renamed)
	if err != nil || len(r.Problems()) > 0 {
		t.Fatalf("%v, %v", r, err)
	}
	again, err := set.Resolve(renamed)
	if one := again.Rules[0]; err != nil || one.Stage != "Hot" || one.StageID != 2 || one.Owner != "Robert" || one.OwnerID != 8 || one.Fields[0].Field != "Main language" || one.Fields[0].Code != "c1" {
		t.Errorf("saved again: %+v, %v", again, err)
	}
	if _, err := before.Resolve(renamed); gistdeal.KindOf(err) != gistdeal.Invalid {
		t.Errorf("the old names without ids: %v", err)
	}
}

func TestASetWithMistakesIsRefusedWithAllOfThem(t *testing.T) {
	t.Parallel()
	one := func(change func(*rules.Rule)) rules.Set {
		r := rules.Rule{Name: "one", Action: gistdeal.RuleCreate}
		change(&r)
		return rules.Set{Rules: []rules.Rule{r}}
	}
	condition := func(c rules.Condition) rules.Set {
		return one(func(r *rules.Rule) { r.Any = []rules.Condition{c} })
	}
	title := func(s string) rules.Set { return one(func(r *rules.Rule) { r.Title = s }) }
	many := rules.Set{Rules: make([]rules.Rule, 201)}
	for name, tt := range map[string]struct {
		set  rules.Set
		says string
	}{
		"no name":               {one(func(r *rules.Rule) { r.Name = "" }), "the name has to be"},
		"the last rule":         {one(func(r *rules.Rule) { r.Name = "everything else" }), "the name has to be"},
		"no action":             {one(func(r *rules.Rule) { r.Action = "" }), "the action is"},
		"two names":             {rules.Set{Rules: append(one(func(*rules.Rule) {}).Rules, one(func(*rules.Rule) {}).Rules...)}, "two rules named"},
		"many rules":            {many, "there are 201 rules"},
		"skip with a title":     {one(func(r *rules.Rule) { r.Action, r.Title = gistdeal.RuleSkip, "x" }), "a rule that skips"},
		"no such priority":      {one(func(r *rules.Rule) { r.Priority = "top" }), "the priority is"},
		"a negative last limit": {rules.Set{EverythingElse: rules.LastRule{RuleDay: -1}}, "everything else: the deals of a day"},
		"a negative limit":      {one(func(r *rules.Rule) { r.UserDay = -1 }), "the deals of a day"},
		"no such condition":     {condition(rules.Condition{Fact: "stars"}), "no such condition"},
		"no value":              {condition(rules.Condition{Fact: rules.Tag}), "the value has to be"},
		"a long value":          {condition(rules.Condition{Fact: rules.Keyword, Value: strings.Repeat("a", 201)}), "the value has to be"},
		"no number":             {condition(rules.Condition{Fact: rules.Size}), "least or most"},
		"a value too much":      {condition(rules.Condition{Fact: rules.Fork, Value: "yes"}), "neither value"},
		"no such place":         {condition(rules.Condition{Fact: rules.Keyword, Value: "a", In: "content"}), "in is"},
		"a wrong expression":    {condition(rules.Condition{Fact: rules.Expression, Value: "(a"}), "missing closing"},
		"a large expression":    {condition(rules.Condition{Fact: rules.Expression, Value: "((a{9}){9}){9}"}), "too complicated"},
		"no such value":         {title("{{.Password}}"), "there is no .Password"},
		"no such function":      {title(`{{printf "%1000000d" 1}}`), `no function "printf"`},
		"call":                  {title(`{{call .Login}}`), `no function "call"`},
		"a method":              {title(`{{.Created.Unix}}`), "there is no .Created.Unix"},
		"variables":             {title(`{{$x := .Login}}{{$x}}`), "variables are not possible"},
		"ranges in ranges":      {title(`{{range .Files}}{{range $.Files}}x{{end}}{{end}}`), "range is only possible"},
		"a range over tags":     {title(`{{range .Tags}}x{{end}}`), "range is only possible"},
		"definitions":           {title(`{{define "a"}}x{{end}}{{template "a"}}`), "template"},
		"a wrong argument":      {title(`{{upper .Size}}`), "wrong type"},
		"a large template":      {title(strings.Repeat("a", 2001)), "more than 2000"},
		"many steps":            {title(strings.Repeat("{{range .Files}}{{.Name}}{{end}}", 40)), "steps"},
		"many functions":        {title("{{.Description" + strings.Repeat("|lower|upper", 50) + "}}"), "steps"},
		"the gist's id":         {one(func(r *rules.Rule) { r.Fields = []rules.Field{{Field: "Gist ID", Template: "x"}} }), "gistdeal writes it itself"},
		"a field named twice": {one(func(r *rules.Rule) {
			r.Fields = []rules.Field{{Field: "a", Template: "x"}, {Field: "a", Template: "x"}}
		}), "named twice"},
	} {
		err := tt.set.Check()
		if gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%s: %v, want an Invalid error with %q", name, err, tt.says)
		}
	}
	several := rules.Set{Rules: []rules.Rule{{Name: "a"}, {Name: "b", Action: "delete"}}}
	if err := several.Check(); strings.Count(err.Error(), "the action is") != 2 {
		t.Errorf("%v, want both mistakes", err)
	}
}

func TestNamesThatPipedriveDoesNotHaveAreRefused(t *testing.T) {
	t.Parallel()
	for says, r := range map[string]rules.Rule{
		`no stage "Cold"`:               {Stage: "Cold"},
		"2 stages named":                {Stage: "New"},
		`the owner "Cid"`:               {Owner: "Cid"},
		`the label "Cold"`:              {Label: "Cold"},
		`no custom field "Colour"`:      {Fields: []rules.Field{{Field: "Colour", Template: "x"}}},
		"a template cannot fill":        {Fields: []rules.Field{{Field: "Person", Template: "x"}}},
		`the field "language" is named`: {Fields: []rules.Field{{Field: "Language", Template: "x"}, {Field: "language", Template: "x"}}},
	} {
		r.Name, r.Action = "one", gistdeal.RuleCreate
		if _, err := (rules.Set{Rules: []rules.Rule{r}}).Resolve(account); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

func TestAHostileSetIsDecidedWithinItsBounds(t *testing.T) {
	t.Parallel()
	all, f := hostile(t, hostileConditions["keywords"]("a")), largeGist("a")
	d := all.Decide(f)
	if d.Rule != "last" || d.Action != gistdeal.RuleCreate || len(d.Content.Fields) != 2 {
		t.Errorf("%+v", d)
	}
	text, err := json.Marshal(d.Content)
	if err != nil || len(text) > 200_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestAHostileSetIsRefusedBeforeItIsCompiled(t *testing.T) { //nolint:paralleltest // It measures the memory.
	large := rules.Condition{Fact: rules.Expression, Value: "(?:" + strings.Repeat(".?", 94) + "){1000}"}
	for says, n := range map[string]int{"too complicated": 10, "more than 500": 501} {
		set := rules.Set{}
		for i := range n {
			set.Rules = append(set.Rules, rules.Rule{Name: fmt.Sprint(i), Action: gistdeal.RuleSkip, All: []rules.Condition{large}})
		}
		if n > rules.MaxRules {
			set.Rules = []rules.Rule{{Name: "a", Action: gistdeal.RuleSkip, Any: slices.Repeat([]rules.Condition{large}, n)}}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := set.Check()
		runtime.ReadMemStats(&after)
		if gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%v, want an Invalid error with %q", err, says)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 10<<20 {
			t.Errorf("refusing %d expressions took %d MiB", n, used>>20)
		}
	}
}

func FuzzATemplateHasASmallResultOrIsRefused(f *testing.F) {
	for _, s := range []string{`{{.Login}}`, `{{range .Files}}{{.Name}}{{end}}`, `{{if gt .Size 10}}a{{else if .Backfill}}b{{end}}`, `{{short 3 .Description | upper}}`, `{{join ", " .Tags}}`, `{{- .Login -}}`, `{{with .Files}}x{{end}}`, `{{len (len .Files)}}`, `{{first .FileNames | default "x"}}`} {
		f.Add(s, "a description")
	}
	f.Fuzz(func(t *testing.T, template, description string) {
		set := rules.Set{Rules: []rules.Rule{{Name: "one", Action: gistdeal.RuleCreate, Title: template, Any: []rules.Condition{{Fact: rules.Keyword, Value: template}, {Fact: rules.Login, Value: "*"}}}}}
		r, err := rules.New(set, 1, gistdeal.Catalog{})
		if err != nil {
			return
		}
		facts := terraform
		facts.Description = description
		d, failed := r.Explain(facts)
		if len(failed) > 0 || d.Rule != "one" || !reflect.DeepEqual(d, r.Decide(facts)) {
			t.Errorf("%+v, %v", d, failed)
		}
		if d.Content != nil && len([]rune(d.Content.Title)) > 255 {
			t.Errorf("a title of %d bytes", len(d.Content.Title))
		}
	})
}

func FuzzARuleSetIsRefusedOrDecides(f *testing.F) {
	f.Add(`{"rules":[{"name":"a","action":"hold","all":[{"fact":"regexp","value":"(a+)+$"}],"none":[{"fact":"size","least":1}]}]}`, "aaaaaaaa!", "main.tf")
	f.Add(`{"rules":[{"name":"a","action":"skip","any":[{"fact":"file","value":"*a*b*"}]}]}`, "", "aaab")
	f.Fuzz(func(t *testing.T, text, description, name string) {
		var set rules.Set
		if json.Unmarshal([]byte(text), &set) != nil {
			return
		}
		r, err := rules.New(set, 1, account)
		if err != nil {
			return
		}
		facts := terraform
		facts.Description, facts.Files = description, []rules.File{{Name: name}}
		d, failed := r.Explain(facts)
		if d.Rule == "" || d.Action == "" || len(failed) > len(set.Rules) || !reflect.DeepEqual(d, r.Decide(facts)) {
			t.Errorf("%+v after %v", d, failed)
		}
	})
}

func TestRulesThatNameAPersonAreListed(t *testing.T) {
	t.Parallel()
	condition := func(fact, value string) []rules.Condition { return []rules.Condition{{Fact: fact, Value: value}} }
	set := rules.Set{Rules: []rules.Rule{
		{Name: "login", All: condition(rules.Login, "*hubot*")},
		{Name: "keyword", Any: condition(rules.Keyword, "by Hubot, again")},
		{Name: "expression", None: condition(rules.Expression, "(octocat|hubot)")},
		{Name: "title", Title: "For hubot"},
		{Name: "field", Fields: []rules.Field{{Field: "Topic", Template: `{{if eq .Login "hubot"}}x{{end}}`}}},
		{Name: "of hubot"},
		{Name: "another", All: condition(rules.Login, "hubot-2"), Title: "robothubot"},
	}}
	if got, want := set.Naming("hubot"), []string{"login", "keyword", "expression", "title", "field", "of hubot"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
