package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
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
		rules.Rule{Name: "notes", Action: gistdeal.RuleSkip, All: []rules.Condition{{What: rules.Keyword, Value: "notes", In: "description"}}},
		rules.Rule{Name: "check", Action: gistdeal.RuleHold, All: []rules.Condition{{What: rules.Keyword, Value: "check", In: "description"}}},
		rules.Rule{
			Name: "infra", Action: gistdeal.RuleCreate, All: []rules.Condition{{What: rules.Language, Value: "hcl"}, {What: rules.Size, Least: new(int64(700))}}, Any: []rules.Condition{{What: rules.Keyword, Value: "how to"}}, Pipeline: "Gists", Stage: "Done", Owner: "Ann Admin", Label: "Hot",
			Title: "{{.Login}} wrote: {{.Description}}", Fields: []rules.Field{{Field: "Topic", Template: "infra"}, {Field: "Bytes", Template: "{{.Size}}"}},
		},
	)
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("both deals are created", func() bool { return len(w.sim.Deals()) == 2 })

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

func TestAnAttemptInDoubtIsRepeatedWithTheSameContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddUser(sim.User{Login: "octocat"})
	w.sim.AddGist("octocat", sim.Gist{ID: "aa01", Description: "first"})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{Name: "all", Action: gistdeal.RuleCreate, Title: "one: {{.Description}}"})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	testenv.Must(t, w.track(r, "octocat"))
	w.eventually("the attempt is in doubt", func() bool { return w.count(postDeal) == 1 })
	w.saveRules(r, 2, rules.Rule{Name: "all", Action: gistdeal.RuleCreate, Title: "two: {{.Description}}"})
	w.sim.EditGist("aa01", func(g *sim.Gist) { g.Description = "second" })
	_, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "octocat", Kind: gistdeal.RequestScanNow})
	testenv.Must(t, err)
	w.settled(r, "octocat")
	if d := w.sim.Deals(); len(d) != 1 || d[0].Title != "one: first" {
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
			tt.rule.Name, tt.rule.Action, tt.rule.All = "topic", gistdeal.RuleCreate, []rules.Condition{{What: rules.Login, Value: "octocat"}}
			w.saveRules(r, 1, tt.rule)
			tt.change(w, field)
			testenv.Must(t, w.track(r, "octocat"))
			testenv.Must(t, w.track(r, "hubot"))
			w.eventually("the deals of the rule wait, and the others are created", func() bool {
				waiting, created := 0, 0
				for _, d := range w.deals(r, "octocat") {
					if d.State == gistdeal.DealAwaitingApproval && strings.Contains(d.Problem, `the rule "topic" is paused: its`) {
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

func TestDealsOverALimitOfTheirRuleWaitForApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	for login, prefix := range map[string]string{"octocat": "aa", "hubot": "bb"} {
		w.sim.AddUser(sim.User{Login: login})
		for i := range 4 {
			w.sim.AddGist(login, sim.Gist{ID: fmt.Sprint(prefix, i), Description: "a gist", CreatedAt: time.Now().Add(time.Duration(i) * time.Second)})
		}
	}
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{Name: "some", Action: gistdeal.RuleCreate, UserDay: 3, RuleDay: 5})
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
