package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// saveRules saves rules as an operator does, once the account is known.
func (w *world) saveRules(r *run, version int64, all ...rules.Rule) {
	w.t.Helper()
	catalog, err := rules.ReadCatalog(w.t.Context(), r.store)
	testenv.Must(w.t, err)
	set, err := rules.Set{Rules: all}.Resolve(catalog)
	testenv.Must(w.t, err)
	text, err := json.Marshal(rules.Stored{Version: version, Set: set})
	testenv.Must(w.t, err)
	testenv.Must(w.t, r.store.Set(w.t.Context(), gistdeal.KeyRules, string(text)))
	testenv.Must(w.t, r.store.Set(w.t.Context(), rules.KeyVersion, fmt.Sprint(version)))
}

// connected waits until the engine has read the account.
func (w *world) connected(r *run) {
	w.t.Helper()
	w.eventually("the catalog is saved", func() bool {
		c, err := rules.ReadCatalog(w.t.Context(), r.store)
		return err == nil && c.Fields != nil && c.Stages != nil
	})
}

func TestRulesDecideWhichGistsBecomeDealsAndWhatTheySay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	topic := w.sim.AddOptionField("Topic", "enum", "Infra", "Other")
	size := w.sim.AddField("Bytes", "double")
	w.sim.AddLabels("Hot")
	w.sim.AddUser(sim.User{Login: "octocat"})
	for id, description := range map[string]string{"aa01": "How to use Terraform", "aa02": "my notes", "aa03": "please check this", "aa04": "another gist"} {
		w.sim.AddGist("octocat", sim.Gist{ID: id, Description: description, Files: []sim.File{{Name: "main.tf", Language: "HCL", Size: 700}}})
	}
	r := w.start()
	w.connected(r)
	w.saveRules(r, 7,
		rules.Rule{Name: "notes", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Keyword, Value: "notes", In: "description"}}},
		rules.Rule{Name: "check", Action: gistdeal.RuleHold, All: []rules.Condition{{Fact: rules.Keyword, Value: "check", In: "description"}}},
		rules.Rule{
			Name: "infra", Action: gistdeal.RuleCreate, All: []rules.Condition{{Fact: rules.Language, Value: "hcl"}, {Fact: rules.Size, Least: new(int64(700))}}, Any: []rules.Condition{{Fact: rules.Keyword, Value: "how to"}}, Pipeline: "Gists", Stage: "Done", Owner: "Ann Admin", Label: "Hot",
			Title: "{{.Login}} wrote: {{.Description}}", Fields: []rules.Field{{Field: "Topic", Template: "infra"}, {Field: "Bytes", Template: "{{.Size}}"}},
		},
	)
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("both deals are created", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealCreated) == 2 })

	deals := w.deals(r, "octocat")
	for id, want := range map[string]gistdeal.Deal{
		"aa01": {State: gistdeal.DealCreated, Rule: "infra"}, "aa02": {State: gistdeal.DealSkipped, Rule: "notes", Problem: `the rule "notes" skips it`},
		"aa03": {State: gistdeal.DealAwaitingApproval, Rule: "check", Problem: `awaiting approval: the rule "check" wants it`}, "aa04": {State: gistdeal.DealCreated, Rule: gistdeal.EverythingElse},
	} {
		got := deals[id]
		want.GistID, want.DealID, want.RulesVersion = id, got.DealID, 7
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	code, _ := w.sim.Field("Gist ID")
	for _, d := range w.sim.Deals() {
		if d.Custom[code] == "aa04" {
			if d.Title != "Gist from octocat" || d.StageID != 1 || d.LabelIDs == nil || len(d.LabelIDs) != 0 {
				t.Errorf("the deal of everything else: %+v", d)
			}
			continue
		}
		if d.Custom[code] != "aa01" || d.Title != "octocat wrote: How to use Terraform" || d.StageID != 7 || d.OwnerID != 102 || len(d.LabelIDs) != 1 ||
			fmt.Sprint(d.Custom[topic]) != "1" || fmt.Sprint(d.Custom[size]) != "700" {
			t.Errorf("the deal of the rule: %+v", d)
		}
	}
	h, err := r.store.Explain(t.Context(), "aa01")
	if err != nil || h.Rule != "infra" || h.Content == nil || h.Content.Title != "octocat wrote: How to use Terraform" {
		t.Errorf("explained as %+v, %v", h, err)
	}
}

func TestTagsOfAddedUsersAreSetBeforeTheFirstDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	logins := append(numbered(5), "empty", "alone", "known")
	for _, login := range logins {
		w.sim.AddUser(sim.User{Login: login})
		if login != "empty" {
			w.sim.AddGist(login, sim.Gist{ID: fmt.Sprintf("%x", login)})
		}
	}
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{Name: "customers", Action: gistdeal.RuleCreate, All: []rules.Condition{{Fact: rules.Tag, Value: "customer"}}}, rules.Rule{Name: "others", Action: gistdeal.RuleSkip})
	testenv.Must(t, w.track(r, "known"))
	var requests []gistdeal.ScanRequest
	for _, login := range append(numbered(5), "empty", "known") {
		requests = append(requests, gistdeal.ScanRequest{Login: login, Tags: "customer"})
	}
	requests[0].Tags = ""
	w.answers(r.store, w.ask(r.store, requests...))
	w.answers(r.store, w.ask(r.store, gistdeal.ScanRequest{Login: "alone", Kind: gistdeal.RequestTrackNow, Tags: "customer"}))
	for _, login := range logins {
		u := w.user(r, login)
		if tagged := login != "user-0"; tagged != (len(u.Tags) == 1) {
			t.Errorf("%s has the tags %q", login, u.Tags)
		}
		if login != "empty" {
			w.eventually(login+" is decided about", func() bool { return len(w.deals(r, login)) == 1 })
		}
		for _, d := range w.deals(r, login) {
			if want := map[string]string{"user-0": "others", "known": "others"}[login]; d.Rule != cmp.Or(want, "customers") {
				t.Errorf("%s: %+v", login, d)
			}
		}
	}
}

func TestAnAttemptInDoubtIsRepeatedWithTheSameContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "octocat"})
	w.sim.AddGist("octocat", sim.Gist{ID: "aa01", Description: "first", Files: files("text")})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{Name: "all", Action: gistdeal.RuleCreate, Title: "one: {{.Description}} {{.FirstLines}}"})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("the attempt is in doubt", func() bool { return w.count(postDeal) == 1 })
	w.saveRules(r, 2, rules.Rule{Name: "all", Action: gistdeal.RuleCreate, Title: "two: {{.Description}}"})
	w.sim.EditGist("aa01", func(g *sim.Gist) { g.Description, g.Files[0].Text = "second", "other" })
	_, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "octocat", Kind: gistdeal.RequestScanNow})
	testenv.Must(t, err)
	w.settled(r, "octocat")
	if d := w.sim.Deals(); len(d) != 1 || d[0].Title != "one: first text" {
		t.Errorf("%+v, want the content that was decided when the gist was noticed", d)
	}
}

func TestARuleWhoseStageOrFieldWasDeletedPausesAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule   rules.Rule
		change func(w *world, field string)
	}{
		"a deleted stage": {rules.Rule{Pipeline: "Gists", Stage: "Done"}, func(w *world, _ string) { w.sim.DeleteStage(7) }},
		"a deleted field": {rules.Rule{Fields: []rules.Field{{Field: "Topic", Template: "x"}}}, func(w *world, field string) { w.sim.DeleteField(field) }},
		"a field of another type": {rules.Rule{Fields: []rules.Field{{Field: "Topic", Template: "x"}}}, func(w *world, field string) {
			w.sim.SetFieldType(field, "double")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sim.Options{})
			field := w.sim.AddField("Topic", "varchar")
			w.sim.AddUser(sim.User{Login: "octocat"})
			w.sim.AddUser(sim.User{Login: "hubot"})
			for i := range 3 {
				w.sim.AddGist("octocat", sim.Gist{ID: fmt.Sprint("aa0", i), Description: "a gist"})
				w.sim.AddGist("hubot", sim.Gist{ID: fmt.Sprint("bb0", i), Description: "a gist"})
			}
			r := w.start()
			w.connected(r)
			tt.rule.Name, tt.rule.Action, tt.rule.All = "topic", gistdeal.RuleCreate, []rules.Condition{{Fact: rules.Login, Value: "octocat"}}
			w.saveRules(r, 1, tt.rule)
			tt.change(w, field)
			testenv.Must(t, w.track(r, "octocat"))
			testenv.Must(t, w.track(r, "hubot"))
			w.eventually("the deals of the rule wait, and the others are created", func() bool {
				waiting, created := 0, 0
				for _, d := range w.deals(r, "octocat") {
					if d.State == gistdeal.DealAwaitingApproval && strings.HasPrefix(d.Problem, `awaiting approval: the rule "topic"`) {
						waiting++
					}
				}
				for _, d := range w.deals(r, "hubot") {
					if d.State == gistdeal.DealCreated {
						created++
					}
				}
				return waiting == 3 && created == 3
			})
			if all := w.sim.Deals(); len(all) != 3 || !strings.Contains(w.log.String(), "rule paused") {
				t.Errorf("%d deals in Pipedrive, log:\n%s", len(all), w.log)
			}
		})
	}
}

func TestDealsDecidedByARuleThatWasCorrectedSinceHoldUpNoOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "octocat"})
	w.sim.AddUser(sim.User{Login: "hubot"})
	for i := range 3 {
		w.sim.AddGist("octocat", sim.Gist{ID: fmt.Sprint("aa0", i), Description: "a gist"})
		w.sim.AddGist("hubot", sim.Gist{ID: fmt.Sprint("bb0", i), Description: "a gist"})
	}
	r := w.start()
	w.connected(r)
	rule := rules.Rule{Name: "stale", Action: gistdeal.RuleCreate, Pipeline: "Gists", Stage: "Done", All: []rules.Condition{{Fact: rules.Login, Value: "octocat"}}}
	w.saveRules(r, 1, rule)
	_, err := r.store.PausePushes(t.Context(), "", time.Now())
	testenv.Must(t, err)
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("the deals are queued", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealQueued) == 3 })
	w.sim.DeleteStage(7)
	rule.Stage = ""
	w.saveRules(r, 2, rule)
	_, err = r.store.ResumePushes(t.Context(), time.Now())
	testenv.Must(t, err)
	w.eventually("the deals wait for approval", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealAwaitingApproval) == 3 })
	for _, d := range w.deals(r, "octocat") {
		if !strings.HasPrefix(d.Problem, `awaiting approval: the rule "stale": the stage for new deals was deleted in Pipedrive`) {
			t.Errorf("%q", d.Problem)
		}
	}
	n, err := r.store.Approve(t.Context(), w.user(r, "octocat").ID, time.Now())
	if err != nil || n != 3 {
		t.Fatalf("%d deals are approved, %v", n, err)
	}
	w.eventually("they wait again", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealAwaitingApproval) == 3 })
	testenv.Must(t, w.track(r, "hubot"))
	w.eventually("the other deals are created", func() bool { return dealsIn(w, r, "hubot", gistdeal.DealCreated) == 3 })
	if log := w.log.String(); len(w.sim.Deals()) != 3 || strings.Contains(log, "kind=unauthorized") || strings.Contains(log, "kind=invalid") {
		t.Errorf("%d deals in Pipedrive, log:\n%s", len(w.sim.Deals()), log)
	}
	for _, id := range []string{"aa00", "aa01", "aa02"} {
		if result, _, err := rulesets.New(r.store).ApplyAgain(t.Context(), id, ""); err != nil || result != "queued" {
			t.Errorf("%s, %v", result, err)
		}
	}
	w.settled(r, "octocat")
}

// dealsIn returns how many deals of a user are in a state.
func dealsIn(w *world, r *run, login string, state gistdeal.DealState) (n int) {
	for _, d := range w.deals(r, login) {
		if d.State == state {
			n++
		}
	}
	return n
}

func TestDealsOverALimitOfTheirRuleWaitForApproval(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]rules.Set{
		"a rule":          {Rules: []rules.Rule{{Name: "some", Action: gistdeal.RuleCreate, UserDay: 3, RuleDay: 5}}},
		"everything else": {EverythingElse: rules.LastRule{UserDay: 3, RuleDay: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keepsLimits(t, set)
		})
	}
}

// keepsLimits checks that rules queue three deals of a user and five of all.
func keepsLimits(t *testing.T, set rules.Set) {
	t.Helper()
	w := newWorld(t, sim.Options{})
	for login, prefix := range map[string]string{"octocat": "aa", "hubot": "bb"} {
		w.sim.AddUser(sim.User{Login: login})
		for i := range 4 {
			w.sim.AddGist(login, sim.Gist{ID: fmt.Sprint(prefix, i), Description: "a gist", CreatedAt: time.Now().Add(time.Duration(i) * time.Second)})
		}
	}
	r := w.start()
	w.connected(r)
	_, err := rulesets.New(r.store).Save(t.Context(), set, 0)
	testenv.Must(t, err)
	for _, login := range []string{"octocat", "hubot"} {
		testenv.Must(t, w.track(r, login))
	}
	w.eventually("as many deals as the rule allows", func() bool { return len(w.sim.Deals()) == 5 })
	for login, want := range map[string]string{"octocat": `had 3 deals of the user within 24 hours`, "hubot": `had 5 deals of all users within 24 hours`} {
		waiting := 0
		for _, d := range w.deals(r, login) {
			if d.State == gistdeal.DealAwaitingApproval {
				waiting++
				if !strings.Contains(d.Problem, want) {
					t.Errorf("%s: %q, want %q", login, d.Problem, want)
				}
			}
		}
		if want := map[string]int{"octocat": 1, "hubot": 2}[login]; waiting != want {
			t.Errorf("%s: %d deals wait, want %d", login, waiting, want)
		}
	}
}

// randomRules returns rules over the texts of the gists of TestThePreviewAndTheWorkAgree.
func randomRules(random *rand.Rand) (all []rules.Rule) {
	words, actions := []string{"alpha", "beta", "gamma", "delta"}, []gistdeal.RuleAction{gistdeal.RuleCreate, gistdeal.RuleHold, gistdeal.RuleSkip}
	for i := range 12 {
		r := rules.Rule{Name: fmt.Sprint("rule ", i), Action: actions[random.IntN(3)], Off: random.IntN(8) == 0}
		condition := func() rules.Condition {
			return []rules.Condition{
				{Fact: rules.Keyword, Value: words[random.IntN(4)]},
				{Fact: rules.Language, Value: []string{"Go", "HCL"}[random.IntN(2)]},
				{Fact: rules.FileName, Value: "*." + words[random.IntN(4)]},
				{Fact: rules.Size, Least: new(int64(random.IntN(1000)))},
				{Fact: rules.FileCount, Most: new(int64(1 + random.IntN(2)))},
				{Fact: rules.Backfill},
				{Fact: rules.Expression, Value: `(alpha|beta) \d$`},
				{Fact: rules.Age, Least: new(int64(random.IntN(20)))},
				{Fact: rules.Login, Value: "oct*"},
			}[random.IntN(9)]
		}
		r.All = []rules.Condition{condition(), condition()}
		r.None = []rules.Condition{condition()}
		if r.Action == gistdeal.RuleCreate {
			r.Title, r.Pipeline = words[random.IntN(4)]+": {{short 30 .Description}} {{date .Created}}", []string{"", "Gists"}[random.IntN(2)]
			r.Fields = []rules.Field{{Field: "Bytes", Template: "{{.Size}}"}, {Field: "Topic", Template: "{{if .Backfill}}infra{{else}}other{{end}}"}}
			if random.IntN(2) == 0 {
				r.Fields = append(r.Fields, rules.Field{Field: "Beginning", Template: "{{.FirstLines | lines 3}}"})
			}
			if random.IntN(4) == 0 {
				r.Title = "{{.FirstLines}} " + words[random.IntN(4)]
			}
		}
		all = append(all, r)
	}
	return all
}

func TestThePreviewAndTheWorkAgree(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{5, 6} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			agree(t, seed)
		})
	}
}

// agree checks that a plan, a preview and the deals that are then created agree.
func agree(t *testing.T, seed uint64) {
	t.Helper()
	w := newWorld(t, sim.Options{})
	w.sim.AddField("Bytes", "double")
	w.sim.AddOptionField("Topic", "enum", "Infra", "Other")
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat"})
	const gists = 80
	random := rand.New(rand.NewPCG(1, seed))
	words := []string{"alpha", "beta", "gamma", "delta", "text\x00with NUL"}
	now := time.Now()
	for i := range gists {
		g := sim.Gist{ID: fmt.Sprintf("aa%04d", i), Description: fmt.Sprint(words[random.IntN(5)], " ", i), CreatedAt: now.Add(-time.Duration(random.IntN(500)) * time.Hour)}
		for j := range 1 + random.IntN(3) {
			g.Files = append(g.Files, sim.File{Name: fmt.Sprint("f", j, ".", words[random.IntN(4)]), Language: []string{"Go", "HCL", ""}[random.IntN(3)], Text: strings.Repeat(words[random.IntN(5)]+"\r\n", random.IntN(60)), Binary: random.IntN(5) == 0})
		}
		w.sim.AddGist("octocat", g)
	}
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, randomRules(random)...)
	hub, _ := stack.Clients(t, w.url, pipedrive.Options{})
	plan, err := estimate.Make(t.Context(), hub, r.store, estimate.Question{Logins: []string{"octocat"}, Gists: gists, Results: gists}, func(context.Context) (estimate.Pace, error) {
		return estimate.Pace{PerSecond: 10}, nil
	})
	testenv.Must(t, err)
	testenv.Must(t, w.track(r, "octocat"))
	p, err := rulesets.New(r.store).Preview(t.Context(), nil, gists, gists)
	testenv.Must(t, err)
	if p.Gists != gists || len(p.Results) != gists || p.Create == 0 || p.Hold == 0 || p.Skip == 0 || p.CreateNow != p.Create {
		t.Fatalf("a preview of %d gists: %d created, %d wait, %d skipped, %d created now", p.Gists, p.Create, p.Hold, p.Skip, p.CreateNow)
	}
	if plan.Deals != p.Create || !reflect.DeepEqual(plan.Rules.Tally, p.Tally) {
		t.Errorf("planned %d deals, %+v, and previewed %+v", plan.Deals, plan.Rules.Tally, p.Tally)
	}
	unknown := 0
	for i, one := range plan.Rules.Results {
		previewed := p.Results[i].DecidedGist
		if one.Deal != nil && len(one.Deal.Unknown) > 0 { // All but the fields that the plan does not know.
			unknown++
			known := *previewed.Deal
			known.Unknown, known.Fields = one.Deal.Unknown, maps.Clone(known.Fields)
			for _, name := range known.Unknown {
				delete(known.Fields, name)
			}
			if slices.Contains(known.Unknown, "title") {
				known.Title = "Gist from octocat"
			}
			previewed.Deal = &known
		}
		if !reflect.DeepEqual(one, previewed) {
			t.Errorf("planned %+v of %+v, and previewed %+v of %+v", one, one.Deal, previewed, previewed.Deal)
		}
	}
	if n := w.sim.Report().Requests[getGist]; unknown == 0 || n != unknown || plan.Rules.Asked != n || plan.GitHubRequests != 2+n {
		t.Errorf("%d deals depend on first lines, %d gists were asked about, and planned are %d of %d requests", unknown, n, plan.Rules.Asked, plan.GitHubRequests)
	}
	w.eventually("all deals are created", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealCreated) == p.Create })
	codes := map[string]string{}
	for _, name := range []string{"Gist author", "Gist", "Gist Access URL", "Gist ID", "Bytes", "Topic", "Beginning"} {
		codes[name], _ = w.sim.Field(name)
	}
	sent := map[string]sim.CreatedDeal{}
	for _, d := range w.sim.Deals() {
		sent[d.Custom[codes["Gist ID"]].(string)] = d
	}
	deals := w.deals(r, "octocat")
	for _, one := range p.Results {
		state := map[gistdeal.RuleAction]gistdeal.DealState{gistdeal.RuleCreate: gistdeal.DealCreated, gistdeal.RuleHold: gistdeal.DealAwaitingApproval, gistdeal.RuleSkip: gistdeal.DealSkipped}[one.Action]
		if d := deals[one.GistID]; d.State != state || d.Rule != one.Rule || d.Problem != one.Reason {
			t.Errorf("previewed %+v, and worked %+v", one, d)
		}
		if one.Action != gistdeal.RuleCreate {
			continue
		}
		if got := one.Deal.Unknown; got != nil {
			t.Errorf("previewed without %v", got)
		}
		got := sent[one.GistID]
		wantStage := one.Deal.StageID
		if wantStage == 0 {
			wantStage = 1
		}
		if got.Title != one.Deal.Title || got.StageID != wantStage || len(got.Custom) != len(one.Deal.Fields) {
			t.Errorf("previewed %+v, and sent %+v", one.Deal, got)
		}
		for name, value := range one.Deal.Fields {
			if fmt.Sprint(got.Custom[codes[name]]) != fmt.Sprint(value) {
				t.Errorf("%s: previewed %v, and sent %v", name, value, got.Custom[codes[name]])
			}
		}
	}
}

func TestRulesAreAppliedAgainToWhatWasNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "octocat"})
	for id, description := range map[string]string{"aa01": "create", "aa02": "keep out", "aa03": "hold", "aa04": "queue", "aa05": "by hand"} {
		w.sim.AddGist("octocat", sim.Gist{ID: id, Description: description})
	}
	r := w.start()
	w.connected(r)
	on := func(word string) []rules.Condition {
		return []rules.Condition{{Fact: rules.Keyword, Value: word, In: "description"}}
	}
	w.saveRules(r, 1,
		rules.Rule{Name: "out", Action: gistdeal.RuleSkip, All: on("keep out")}, rules.Rule{Name: "hold", Action: gistdeal.RuleHold, All: on("hold")},
		rules.Rule{Name: "wait", Action: gistdeal.RuleHold, Any: append(on("queue"), on("by hand")...)})
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("the deal is created", func() bool { return w.deals(r, "octocat")["aa01"].State == gistdeal.DealCreated })
	_, err := r.store.Skip(t.Context(), gistdeal.DealFilter{GistIDs: []string{"aa05"}}, "by a person", time.Now())
	testenv.Must(t, err)
	w.saveRules(r, 2,
		rules.Rule{Name: "created", Action: gistdeal.RuleSkip, All: on("create")}, rules.Rule{Name: "in", Action: gistdeal.RuleCreate, All: on("keep out"), Title: "in after all"},
		rules.Rule{Name: "out", Action: gistdeal.RuleSkip, All: on("hold")}, rules.Rule{Name: "wait", Action: gistdeal.RuleHold, All: on("queue")})

	again := rulesets.New(r.store)
	changes, gists, err := again.Changes(t.Context())
	if want := (rulesets.RuleChanges{Deals: 3, Queue: 1, Skip: 1, Content: 1}); err != nil || changes != want || len(gists) != 3 {
		t.Errorf("%+v of %v, want %+v, %v", changes, gists, want, err)
	}
	// A deal that was sent after it was counted is no problem of the operation.
	for id, want := range map[string]string{"aa01": "unchanged: its deal was sent", "aa02": "queued", "aa03": "skipped", "aa04": "unchanged: its content", "aa05": "unchanged: its deal was sent"} {
		result, reason, err := again.ApplyAgain(t.Context(), id, "")
		if err != nil || !strings.HasPrefix(result+": "+reason, want) || !(admin.Result{Result: result}).Done() {
			t.Errorf("%s: %s: %s, want %s, %v", id, result, reason, want, err)
		}
	}
	w.eventually("the skipped deal is created", func() bool { return w.deals(r, "octocat")["aa02"].State == gistdeal.DealCreated })
	deals := w.deals(r, "octocat")
	if d := deals["aa04"]; d.RulesVersion != 2 || d.State != gistdeal.DealAwaitingApproval {
		t.Errorf("%+v, want the version of the present rules", d)
	}
	if d := deals["aa05"]; d.State != gistdeal.DealSkipped || d.Problem != "by a person" {
		t.Errorf("%+v, want what the person decided", d)
	}
	if all := w.sim.Deals(); len(all) != 2 || all[1].Title != "in after all" {
		t.Errorf("%+v", all)
	}
	if c, _, err := again.Changes(t.Context()); err != nil || c.Queue+c.Hold+c.Skip+c.Content != 0 {
		t.Errorf("after that: %+v, %v", c, err)
	}
}

func TestAFieldThatIsNewInPipedriveCanBeNamedSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	r := w.start()
	w.connected(r)
	w.sim.AddField("Mood", "varchar")
	w.sim.AddPipeline("Fans", "Cold", "Warm")
	set := rules.Set{Rules: []rules.Rule{{Name: "moody", Action: gistdeal.RuleCreate, Pipeline: "Fans", Stage: "Warm", Fields: []rules.Field{{Field: "Mood", Template: "good"}}}}}
	all := rulesets.New(r.store)
	if _, err := all.Save(t.Context(), set, 0); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), "try again in ten seconds") {
		t.Errorf("%v, want advice to try again", err)
	}
	w.eventually("the rules are saved", func() bool {
		_, err := all.Save(t.Context(), set, 0)
		return err == nil
	})
}

func TestWhetherAGistIsAForkIsAskedBeforeARuleDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	gists := simGists("aa", 4)
	gists[0].Fork, gists[1].Description, gists[3].Description = true, "keep", "unreadable"
	w.sim.AddUser(sim.User{Login: "octocat"})
	for _, g := range gists {
		w.sim.AddGist("octocat", g)
	}
	w.sim.AddFault(sim.Fault{Match: "GET /gists/" + gists[3].ID, Kind: "answer", Status: 404, Body: `{"message": "Not Found"}`})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{
		Name: "forks", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Fork}}, None: []rules.Condition{{Fact: rules.Keyword, Value: "keep"}},
	})
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("two deals are created", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealCreated) == 2 })
	deals := w.deals(r, "octocat")
	for i, state := range []gistdeal.DealState{gistdeal.DealSkipped, gistdeal.DealCreated, gistdeal.DealCreated, gistdeal.DealAwaitingApproval} {
		if d := deals[gists[i].ID]; d.State != state {
			t.Errorf("%+v, want %s", d, state)
		}
	}
	if n := w.sim.Report().Requests["GET /gists/{id}"]; n != 3 {
		t.Errorf("%d gists were looked up, want those that the rule depends on", n)
	}
	testenv.Must(t, w.track(r, "octocat"))
	if n := w.sim.Report().Requests["GET /gists/{id}"]; n != 3 {
		t.Errorf("%d gists were looked up after another scan", n)
	}
}

func TestPushesKeepTheirRateWith50Rules(t *testing.T) {
	t.Parallel()
	var fifty []rules.Rule
	for i := range 50 {
		r := rules.Rule{Name: fmt.Sprint("rule ", i), Action: gistdeal.RuleSkip, Any: []rules.Condition{{Fact: rules.Keyword, Value: fmt.Sprint("word ", i)}, {Fact: rules.Expression, Value: fmt.Sprintf(`(?i)\b(alpha|beta) %d\b`, i)}}}
		fifty = append(fifty, r)
	}
	fifty[49] = rules.Rule{Name: "last", Action: gistdeal.RuleCreate, Title: "{{.Login}}: {{.Description}}", StageID: 7, OwnerID: 102, Fields: []rules.Field{{Field: "Bytes", Type: "double", Template: "{{.Size}}"}}}
	none, with := dealsOfTenSeconds(t, nil), dealsOfTenSeconds(t, fifty)
	if none < 98 || with < none*98/100 {
		t.Errorf("%d deals in ten seconds with 50 rules, and %d without; want at least 98 %% of them, and of 100", with, none)
	}
}

// dealsOfTenSeconds returns how many deals of a scanned user are sent in ten seconds at most ten a
// second, as these rules decide.
func dealsOfTenSeconds(t *testing.T, all []rules.Rule) (n int) {
	t.Helper()
	inVirtualTime(t, sim.Options{Seed: 1}, func(v *virtual) {
		v.rate, v.options.FeedInterval = 10, 0
		v.sim.AddUser(sim.User{Login: "octocat", ID: 583231, Gists: simGists("aa", 300)})
		code := v.sim.AddField("Bytes", "double")
		v.start()
		v.pass(15 * time.Second) // The catch-up is over, and the catalog is read.
		if all != nil {
			all[len(all)-1].Fields[0].Code = code
			text, err := json.Marshal(rules.Stored{Version: 1, Set: rules.Set{Rules: all}})
			testenv.Must(v.t, err)
			testenv.Must(v.t, v.db.Set(v.t.Context(), gistdeal.KeyRules, string(text)))
			testenv.Must(v.t, v.db.Set(v.t.Context(), rules.KeyVersion, "1"))
		}
		_, err := v.db.Track(v.t.Context(), gistdeal.Account{ID: 583231, Login: "octocat", Type: "User"}, gistdeal.BackfillAll, time.Now())
		testenv.Must(v.t, err)
		v.pass(20 * time.Second) // The user is scanned.
		before := v.sim.Report().Requests[postDeal]
		v.pass(10 * time.Second)
		n = v.sim.Report().Requests[postDeal] - before
		title := "Gist from octocat"
		if all != nil {
			title = "octocat: gist"
		}
		for _, d := range v.sim.Deals() {
			if d.Title != title {
				v.t.Fatalf("a deal is titled %q, want %q", d.Title, title)
			}
		}
	})
	return n
}
