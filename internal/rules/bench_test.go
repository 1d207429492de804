package rules_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
)

// hostileConditions are conditions that take the most time for their steps, about a gist that
// repeats a letter.
var hostileConditions = map[string]func(letter string) rules.Condition{
	"short keywords": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.Keyword, Value: letter + "!"}
	},
	"keywords": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.Keyword, Value: repeat(letter, 17) + "!"}
	},
	"long keywords": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.Keyword, Value: repeat(letter, 190) + "!"}
	},
	"patterns": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.FileName, Value: strings.Repeat("*"+letter, 5) + "*!*"}
	},
	"patterns of many stars": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.FileName, Value: strings.Repeat("*"+letter, 8) + strings.Repeat("*", 50) + "!*"}
	},
	"long patterns": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.FileName, Value: "*" + repeat(letter, 17) + "!*"}
	},
	"lists": func(letter string) rules.Condition { return listOf(letter, 17, "%s") },
	"lists of short texts": func(letter string) rules.Condition {
		return listOf(letter, 2, "%s")
	},
	"lists of words": func(letter string) rules.Condition { return listOf(letter, 17, `(?i)\b(%s)\b`) },
	"expressions": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.Expression, Value: "(?:" + letter + "+" + letter + "?)+" + letter + "+[!-/]$"}
	},
	"large expressions": func(letter string) rules.Condition {
		return rules.Condition{Fact: rules.Expression, Value: "(?:" + letter + "?){110}[!-/]$"}
	},
}

// repeat returns a text of about so many bytes.
func repeat(letter string, n int) string { return strings.Repeat(letter, max(n/len(letter), 1)) }

// listOf returns an expression of texts of so many bytes.
func listOf(letter string, n int, format string) rules.Condition {
	const marks = "0123456789BCDEFGHIJLMNOPQRTUVWXYZ"
	var texts []string
	for i := 0; (i+1)*(n+2) < 180; i++ {
		texts = append(texts, repeat(letter, n)+string(marks[i%len(marks)]))
	}
	for i := range texts { // Without equal beginnings, which would be one text.
		texts[i] = texts[i][:len(texts[i])-1] + texts[len(texts)-1-i][len(texts[i])-1:]
	}
	return rules.Condition{Fact: rules.Expression, Value: fmt.Sprintf(format, strings.Join(texts, "|"))}
}

// hostile returns a set that has as many of these conditions as are accepted, and templates
// that take many steps.
func hostile(tb testing.TB, c rules.Condition) *rules.Rules {
	tb.Helper()
	last := rules.Rule{Name: "last", Action: gistdeal.RuleCreate, Title: "{{.Login}}"}
	last.Fields = hostileFields
	catalog := gistdeal.Catalog{}
	for _, f := range hostileFields {
		catalog.Fields = append(catalog.Fields, gistdeal.CatalogField{Code: f.Code, Name: f.Field, Type: f.Type})
	}
	for n := 498; n > 0; n -= 1 + n/100 {
		var set rules.Set
		for i := range rules.MaxRules - 1 {
			r := rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleCreate}
			for range n*(i+1)/(rules.MaxRules-1) - n*i/(rules.MaxRules-1) {
				r.Any = append(r.Any, c)
			}
			r.Off = r.Any == nil
			set.Rules = append(set.Rules, r)
		}
		set.Rules = append(set.Rules, last)
		if all, err := rules.New(set, 1, catalog); err == nil {
			return all
		} else if !strings.Contains(err.Error(), "take too long") {
			tb.Fatal(err)
		}
	}
	tb.Fatalf("%+v is refused", c)
	return nil
}

var hostileFields = []rules.Field{
	{Field: "f0", Code: "f0", Type: "text", Template: `{{"` + strings.Repeat("д", 700) + `"` + strings.Repeat("|upper|lower", 20) + "}}"},
	{Field: "f1", Code: "f1", Type: "text", Template: `{{range .Files}}{{if eq .Name "x"}}y{{else}}z{{end}}{{end}}`},
}

// largeGist returns a gist of the largest texts that decisions read.
func largeGist(letter string) rules.Facts {
	f := rules.Facts{GistID: "1", Login: strings.Repeat("a", 39), Description: repeat(letter, 65_000), Known: true, CreatedAt: time.Unix(0, 0), NoticedAt: time.Unix(1, 0)}
	for i := range 300 {
		f.Files = append(f.Files, rules.File{Name: repeat(letter, 19), Language: fmt.Sprint("Language ", i), Size: 1})
	}
	return f
}

// BenchmarkHostileRules decides about a gist with the worst sets that are accepted. The time of
// the processor is the true one on a busy machine.
func BenchmarkHostileRules(b *testing.B) {
	for name, condition := range hostileConditions {
		for _, letter := range []string{"a", "Д"} {
			b.Run(name+" of "+letter, func(b *testing.B) {
				all, f := hostile(b, condition(letter)), largeGist(letter)
				before := processorTime(b)
				for b.Loop() {
					all.Decide(f)
				}
				b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
			})
		}
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
