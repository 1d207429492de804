package rulesets_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// sample is a gist of TestThePreviewOf5000GistsHasTheKnownAnswer.
type sample struct {
	gistdeal.Gist
	login    string
	tags     []string
	age      int // in days
	backfill bool
}

// truth is whether something holds of a sample; maybe if that is not known. The lowest of
// several is whether all hold, and the highest whether one does.
type truth int

const no, maybe, yes truth = -1, 0, 1

func is(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (s sample) tag(tag string) truth { return is(slices.Contains(s.tags, tag)) }

// says reports whether the description has one of the words, in small letters.
func (s sample) says(words ...string) truth {
	return is(slices.ContainsFunc(strings.Fields(strings.ToLower(s.Description)), func(w string) bool { return slices.Contains(words, w) }))
}

func (s sample) file(named func(name string) bool) truth {
	return is(slices.ContainsFunc(s.Files, func(f gistdeal.File) bool { return named(f.Name) }))
}

func (s sample) in(language string) truth {
	if s.UpdatedAt.IsZero() {
		return maybe
	}
	return is(slices.ContainsFunc(s.Files, func(f gistdeal.File) bool { return f.Language == language }))
}

func (s sample) bytes() (n int) {
	for _, f := range s.Files {
		n += f.Size
	}
	return n
}

func (s sample) size(least, most int) truth {
	if s.UpdatedAt.IsZero() {
		return maybe
	}
	return is(least <= s.bytes() && s.bytes() <= most)
}

func (s sample) fork() truth {
	if s.Fork == nil {
		return maybe
	}
	return is(*s.Fork)
}

// known is a rule, and its answer in plain Go.
type known struct {
	rules.Rule
	matches func(sample) truth
	deal    func(sample) rulesets.PreviewedDeal // nil if it is that without rules
	waits   bool                                // because of a value that its field cannot have
}

func knownRules() []known {
	const create, hold, skip = gistdeal.RuleCreate, gistdeal.RuleHold, gistdeal.RuleSkip
	c := func(fact, value string) rules.Condition { return rules.Condition{Fact: fact, Value: value} }
	in := func(fact, value, in string) rules.Condition {
		return rules.Condition{Fact: fact, Value: value, In: in}
	}
	least := func(fact string, n int64) rules.Condition { return rules.Condition{Fact: fact, Least: &n} }
	most := func(fact string, n int64) rules.Condition { return rules.Condition{Fact: fact, Most: &n} }
	of := func(all ...rules.Condition) []rules.Condition { return all }
	const large = 1 << 40
	return []known{
		{
			Rule:    rules.Rule{Name: "robots", Action: skip, All: of(c(rules.Login, "*-bot"))},
			matches: func(s sample) truth { return is(strings.HasSuffix(s.login, "-bot")) },
		},
		{
			Rule:    rules.Rule{Name: "forks", Action: skip, All: of(c(rules.Fork, "")), None: of(in(rules.Keyword, "KEEP", "description"))},
			matches: func(s sample) truth { return min(s.fork(), -s.says("keep")) },
		},
		{
			Rule:    rules.Rule{Name: "old ones", Action: skip, All: of(c(rules.Backfill, ""), least(rules.Age, 300))},
			matches: func(s sample) truth { return is(s.backfill && s.age >= 300) },
		},
		{Rule: rules.Rule{Name: "off", Action: skip, Off: true}, matches: func(sample) truth { return no }},
		{
			Rule:    rules.Rule{Name: "secrets", Action: hold, Any: of(in(rules.Keyword, "password", "description"), in(rules.Expression, `(?i)\bapi[_-]?key\b`, "description"))},
			matches: func(s sample) truth { return s.says("password", "apikey", "api_key", "api-key") },
		},
		{
			Rule:    rules.Rule{Name: "large", Action: hold, All: of(least(rules.Size, 6_000))},
			matches: func(s sample) truth { return s.size(6_000, large) },
		},
		{
			Rule:    rules.Rule{Name: "many files", Action: hold, Priority: gistdeal.PriorityLow, All: of(rules.Condition{Fact: rules.FileCount, Least: new(int64(6)), Most: new(int64(7))})},
			matches: func(s sample) truth { return is(len(s.Files) == 6 || len(s.Files) == 7) },
		},
		{
			Rule:    rules.Rule{Name: "customers", Action: create, Priority: gistdeal.PriorityHigh, All: of(c(rules.Tag, "customer"), c(rules.Language, "go")), Pipeline: "Gists", Stage: "Done", Owner: "Ann", Label: "Hot", Title: "{{.Login}}: {{short 9 .Description}}"},
			matches: func(s sample) truth { return min(s.tag("customer"), s.in("Go")) },
			deal: func(s sample) rulesets.PreviewedDeal {
				description := s.Description
				if len(description) > 9 {
					description = description[:8] + "…"
				}
				return rulesets.PreviewedDeal{Title: s.login + ": " + strings.TrimSpace(description), StageID: 2, OwnerID: 7, LabelIDs: []int64{9}}
			},
		},
		{
			Rule: rules.Rule{Name: "infrastructure", Action: create, Any: of(c(rules.Language, "HCL"), c(rules.FileName, "*.tf"), in(rules.Keyword, "docker", "file name")), None: of(c(rules.Tag, "partner")), Fields: []rules.Field{{Field: "Bytes", Template: "{{.Size}}"}, {Field: "Topic", Template: "{{if .Backfill}}infra{{else}}other{{end}}"}}},
			matches: func(s sample) truth {
				named := s.file(func(n string) bool { return strings.HasSuffix(n, ".tf") || strings.Contains(n, "Docker") })
				return min(max(s.in("HCL"), named), -s.tag("partner"))
			},
			deal: func(s sample) rulesets.PreviewedDeal {
				topic := int64(41)
				if s.backfill {
					topic = 40
				}
				return rulesets.PreviewedDeal{Fields: map[string]any{"Bytes": float64(s.bytes()), "Topic": topic}}
			},
		},
		{
			Rule:    rules.Rule{Name: "tests", Action: skip, All: of(c(rules.FileName, "*_test.*"))},
			matches: func(s sample) truth { return s.file(func(n string) bool { return strings.Contains(n, "_test.") }) },
		},
		{
			Rule:    rules.Rule{Name: "other forks", Action: create, All: of(c(rules.Fork, ""), least(rules.FileCount, 2))},
			matches: func(s sample) truth { return min(s.fork(), is(len(s.Files) >= 2)) },
		},
		{
			Rule:    rules.Rule{Name: "releases", Action: create, All: of(in(rules.Expression, `(^| )v\d+\.\d+$`, "description")), Title: "Release {{upper .Description}}"},
			matches: func(s sample) truth { return is(strings.HasSuffix(s.Description, "v1.20")) },
			deal: func(s sample) rulesets.PreviewedDeal {
				return rulesets.PreviewedDeal{Title: "Release " + strings.ToUpper(s.Description)}
			},
		},
		{
			Rule:    rules.Rule{Name: "partners", Action: skip, All: of(c(rules.Tag, "partner")), None: of(c(rules.Language, "Markdown"))},
			matches: func(s sample) truth { return min(s.tag("partner"), -s.in("Markdown")) },
		},
		{
			Rule:    rules.Rule{Name: "small and new", Action: create, All: of(most(rules.Age, 30), most(rules.Size, 900)), Title: "{{len .Files}} files"},
			matches: func(s sample) truth { return min(is(s.age <= 30), s.size(0, 900)) },
			deal: func(s sample) rulesets.PreviewedDeal {
				return rulesets.PreviewedDeal{Title: fmt.Sprint(len(s.Files), " files")}
			},
		},
		{
			Rule: rules.Rule{Name: "documents", Action: create, All: of(most(rules.FileCount, 2)), Any: of(c(rules.FileName, "README*"), c(rules.Language, "Markdown"))},
			matches: func(s sample) truth {
				return min(is(len(s.Files) <= 2), max(s.file(func(n string) bool { return strings.HasPrefix(n, "README") }), s.in("Markdown")))
			},
		},
		{
			Rule:    rules.Rule{Name: "emea", Action: create, All: of(c(rules.Tag, "emea"), c(rules.Login, "user-1*"))},
			matches: func(s sample) truth { return min(s.tag("emea"), is(strings.HasPrefix(s.login, "user-1"))) },
		},
		{
			Rule:    rules.Rule{Name: "plans", Action: skip, All: of(c(rules.Keyword, "todo")), None: of(c(rules.Backfill, ""))},
			matches: func(s sample) truth { return min(s.says("todo"), is(!s.backfill)) },
		},
		{
			Rule: rules.Rule{Name: "programs", Action: hold, All: of(in(rules.Expression, `(?m)^(main|index)\.`, "file name"))},
			matches: func(s sample) truth {
				return s.file(func(n string) bool { return strings.HasPrefix(n, "main.") || strings.HasPrefix(n, "index.") })
			},
		},
		{
			Rule:    rules.Rule{Name: "no number", Action: create, All: of(c(rules.Keyword, "number")), Fields: []rules.Field{{Field: "Bytes", Template: "{{.Description}}"}}},
			matches: func(s sample) truth { return s.says("number") }, waits: true,
		},
		{
			Rule: rules.Rule{Name: "rest", Action: skip, Any: of(least(rules.Age, 350), c(rules.FileName, "0.txt"))},
			matches: func(s sample) truth {
				return max(is(s.age >= 350), s.file(func(n string) bool { return n == "0.txt" }))
			},
		},
	}
}

// answer returns the rule that decides about a sample, the action, and whether that is so
// because something is not known.
func answer(all []known, s sample) (one known, action gistdeal.RuleAction, unknown bool) {
	var possible []known
	for _, r := range append(all, known{Rule: rules.Rule{Name: gistdeal.EverythingElse, Action: gistdeal.RuleCreate}, matches: func(sample) truth { return yes }}) {
		m := r.matches(s)
		if m != no {
			possible = append(possible, r)
		}
		if m == yes {
			break
		}
	}
	first, decided := possible[0], possible[len(possible)-1]
	switch {
	case len(possible) > 1 && slices.ContainsFunc(possible, func(r known) bool { return r.Action != gistdeal.RuleSkip }):
		return first, gistdeal.RuleHold, true
	case decided.waits:
		return decided, gistdeal.RuleHold, false
	}
	return decided, decided.Action, false
}

// samples returns so many gists of 25 users, with a seed.
func samples(n int, now time.Time) (all []sample) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for i := range n {
		user := i % 25
		s := sample{login: fmt.Sprint("user-", user), age: random.IntN(400), backfill: i < n/2}
		if user%9 == 8 {
			s.login += "-bot"
		}
		s.tags = [][]string{nil, {"customer"}, {"customer", "emea"}, {"partner"}, {"emea"}}[user%5]
		var words []string
		for range 1 + random.IntN(4) {
			words = append(words, pick("how", "notes", "KEEP", "password", "API_key", "rapikeys", "todo", "TODO", "number", "of", "a", "the", "with", "v1.20", "v1.x"))
		}
		s.ID, s.Description = fmt.Sprintf("%04x", i), strings.Join(words, " ")
		s.CreatedAt = now.Add(-time.Duration(s.age)*24*time.Hour - time.Duration(random.IntN(20))*time.Hour)
		facts := random.IntN(10) > 0
		if facts {
			s.UpdatedAt = s.CreatedAt
		}
		if random.IntN(10) > 0 {
			s.Fork = new(random.IntN(4) == 0)
		}
		for j := range 1 + random.IntN(1+random.IntN(7)) {
			f := gistdeal.File{Name: fmt.Sprint(j) + pick(".txt", ".md", ".go", ".tf", "_test.go", ".Dockerfile")}
			if random.IntN(8) == 0 {
				f.Name = pick("README", "main", "index") + "." + f.Name
			}
			if facts {
				f.Language, f.Size = pick("", "Go", "HCL", "Markdown", "Text"), random.IntN(2_000)
			}
			s.Files = append(s.Files, f)
		}
		slices.SortFunc(s.Files, func(a, b gistdeal.File) int { return cmp.Compare(a.Name, b.Name) })
		all = append(all, s)
	}
	return all
}

// save stores the samples as first scans and later ones do.
func save(t *testing.T, db *store.Store, all []sample, now time.Time) {
	t.Helper()
	catalog, err := json.Marshal(gistdeal.Catalog{
		Stages: []gistdeal.CatalogStage{{ID: 1, Name: "New", Pipeline: "Gists"}, {ID: 2, Name: "Done", Pipeline: "Gists"}},
		Owners: []gistdeal.CatalogEntry{{ID: 7, Name: "Ann"}}, Labels: []gistdeal.CatalogEntry{{ID: 9, Name: "Hot"}},
		Fields: []gistdeal.CatalogField{{Code: "c1", Name: "Bytes", Type: "double"}, {Code: "c2", Name: "Topic", Type: "enum", Options: []gistdeal.CatalogEntry{{ID: 40, Name: "Infra"}, {ID: 41, Name: "Other"}}}},
	})
	testenv.Must(t, err)
	testenv.Must(t, db.Set(t.Context(), gistdeal.KeyCatalog, string(catalog)))
	for user := range 25 {
		var pages [2][]gistdeal.Gist
		for i := user; i < len(all); i += 25 {
			pages[i*2/len(all)] = append(pages[i*2/len(all)], all[i].Gist)
		}
		s := all[user]
		u, err := db.Track(t.Context(), gistdeal.Account{ID: int64(user + 1), Login: s.login, Type: "User"}, gistdeal.BackfillAll, now)
		testenv.Must(t, err)
		_, err = db.ChangeTags(t.Context(), []int64{u.ID}, s.tags, nil, now)
		testenv.Must(t, err)
		for i, page := range pages {
			_, err := db.SaveGists(t.Context(), u.ID, page, gistdeal.NewGistPolicy{First: i == 0}, now)
			testenv.Must(t, err)
		}
	}
}

func TestThePreviewOf5000GistsHasTheKnownAnswer(t *testing.T) {
	t.Parallel()
	const gists = 5_000
	db, now := stack.Open(t), time.Now()
	all, set := samples(gists, now), rules.Set{}
	save(t, db, all, now)
	answers := knownRules()
	for _, r := range answers {
		set.Rules = append(set.Rules, r.Rule)
	}
	sets := rulesets.New(db)
	p, err := sets.Preview(t.Context(), &set, gists, gists)
	testenv.Must(t, err)
	byID := map[string]sample{}
	for _, s := range all {
		byID[s.ID] = s
	}
	want := rulesets.Tally{Rules: map[string]int{}}
	for _, got := range p.Results {
		s := byID[got.GistID]
		delete(byID, got.GistID)
		rule, action, unknown := answer(answers, s)
		want.Gists++
		want.Rules[rule.Name]++
		*map[gistdeal.RuleAction]*int{gistdeal.RuleCreate: &want.Create, gistdeal.RuleHold: &want.Hold, gistdeal.RuleSkip: &want.Skip}[action]++
		if got.Rule != rule.Name || got.Action != action || got.Login != s.login || got.Description != s.Description || strings.Contains(got.Reason, "not known") != unknown {
			t.Errorf("%+v, want %s by the rule %q, unknown: %v, of %+v", got.DecidedGist, action, rule.Name, unknown, s)
		}
		if problem := wrongDeal(got.DecidedGist, rule, s, action, unknown); problem != "" {
			t.Errorf("%+v of %+v: %s", got.DecidedGist, s, problem)
		}
	}
	short, err := sets.Preview(t.Context(), &set, gists, 0)
	for _, got := range []rulesets.Tally{p.Tally, short.Tally} {
		if got.Gists != want.Gists || got.Create != want.Create || got.Hold != want.Hold || got.Skip != want.Skip || !maps.Equal(got.Rules, want.Rules) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if err != nil || len(byID) > 0 || p.CreateNow != gists || len(want.Rules) != len(answers) { // All but the one that is off, and everything else.
		t.Errorf("%d gists are missing, %v decide, %d deals now, %v", len(byID), want.Rules, p.CreateNow, err)
	}
}

// wrongDeal returns what is wrong with the deal of a decision.
func wrongDeal(got rulesets.DecidedGist, rule known, s sample, action gistdeal.RuleAction, unknown bool) string {
	if action == gistdeal.RuleSkip {
		if got.Deal != nil {
			return "it has a deal"
		}
		return ""
	}
	var want rulesets.PreviewedDeal
	if rule.deal != nil && !unknown {
		want = rule.deal(s)
	}
	title := cmp.Or(want.Title, "Gist from "+s.login)
	if got.Deal == nil || got.Deal.Title != title || got.Deal.StageID != want.StageID || got.Deal.OwnerID != want.OwnerID || !slices.Equal(got.Deal.LabelIDs, want.LabelIDs) {
		return fmt.Sprintf("the deal is %+v, want %+v titled %q", got.Deal, want, title)
	}
	for _, name := range []string{"Bytes", "Topic"} {
		if got.Deal.Fields[name] != want.Fields[name] {
			return fmt.Sprintf("%s is %v, want %v", name, got.Deal.Fields[name], want.Fields[name])
		}
	}
	if got.Deal.Fields["Gist ID"] != s.ID {
		return "it has not the id of the gist"
	}
	return ""
}
