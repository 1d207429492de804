package rulesets_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkDecidingBesideStoring compares the time of decisions of 50 ordinary rules, none of
// which matches, with that of storing the gists.
func BenchmarkDecidingBesideStoring(b *testing.B) {
	var set rules.Set
	for i := range 50 {
		set.Rules = append(set.Rules, rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleSkip, Any: []rules.Condition{
			{Fact: rules.Keyword, Value: fmt.Sprint("absent ", i)},
			{Fact: rules.Language, Value: fmt.Sprint("Language ", i)},
			{Fact: rules.FileName, Value: fmt.Sprintf("*.%d.*", i)},
			{Fact: rules.Expression, Value: `(?i)\b(terraform|pulumi|ansible|chef|puppet|helm|kubectl|docker|podman)\b`},
		}})
	}
	ready, err := rules.New(set, 1, gistdeal.Catalog{})
	testenv.Must(b, err)
	var deciding, storing time.Duration
	gists := 0
	for b.Loop() {
		db, now := stack.Open(b), time.Now()
		u, err := db.Track(b.Context(), gistdeal.Account{ID: 1, Login: "octocat", Type: "User"}, gistdeal.BackfillAll, now)
		testenv.Must(b, err)
		for page := range slices.Chunk(samples(1_000, now), 100) {
			n, some := gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{}}, []gistdeal.Gist{}
			start := time.Now()
			for _, s := range page {
				some = append(some, s.Gist)
				n.Decisions[s.ID] = ready.Decide(rules.FactsOf(u, s.Gist, false, now))
			}
			decided := time.Now()
			_, err := db.SaveGists(b.Context(), u.ID, some, n, now)
			testenv.Must(b, err)
			deciding, storing, gists = deciding+decided.Sub(start), storing+time.Since(decided), gists+len(page)
		}
	}
	b.ReportMetric(float64(deciding.Microseconds())/float64(gists), "decide-µs/gist")
	b.ReportMetric(float64(storing.Microseconds())/float64(gists), "store-µs/gist")
}
