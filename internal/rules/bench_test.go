package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
)

// hostile returns a set and a gist that take as many steps as the bounds allow.
func hostile(tb testing.TB) (*rules.Rules, rules.Facts) {
	tb.Helper()
	var set rules.Set
	for i := range rules.MaxRules - 1 {
		r := rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleCreate, All: []rules.Condition{
			{Fact: rules.Keyword, Value: strings.Repeat("a", 190) + fmt.Sprint("b", i)},
		}, None: []rules.Condition{{Fact: rules.FileName, Value: "*a*aa*aaa*b*"}}}
		r.Any = append(r.Any, r.All...)
		r.All = r.None
		r.None = nil
		if i < 15 {
			r.All = []rules.Condition{{Fact: rules.Expression, Value: `(a+a?)+a+[bc]$`}}
			r.Any = nil
		}
		set.Rules = append(set.Rules, r)
	}
	piece := `{{range .Files}}{{if eq (upper $.Description) "x"}}y{{else}}z{{end}}{{end}}`
	last := rules.Rule{Name: "last", Action: gistdeal.RuleCreate, Title: "{{.Login}}"}
	for i := range 2 {
		last.Fields = append(last.Fields, rules.Field{Field: fmt.Sprint("f", i), Code: fmt.Sprint("f", i), Type: "text", Template: piece + "{{.Description" + strings.Repeat("|lower|upper", 6) + "}}"})
	}
	set.Rules = append(set.Rules, last)
	catalog := gistdeal.Catalog{Fields: []gistdeal.CatalogField{{Code: "f0", Name: "f0", Type: "text"}, {Code: "f1", Name: "f1", Type: "text"}}}
	all, err := rules.New(set, 1, catalog)
	if err != nil {
		tb.Fatal(err)
	}
	f := rules.Facts{GistID: "1", Login: strings.Repeat("a", 39), Description: strings.Repeat("a", 1_000) + strings.Repeat("ä", 50_000), Known: true, CreatedAt: time.Unix(0, 0), NoticedAt: time.Unix(1, 0)}
	for range 300 {
		f.Files = append(f.Files, rules.File{Name: strings.Repeat("a", 255), Language: "Go", Size: 1})
	}
	return all, f
}

func BenchmarkAHostileSet(b *testing.B) {
	all, f := hostile(b)
	for b.Loop() {
		all.Decide(f)
	}
}
