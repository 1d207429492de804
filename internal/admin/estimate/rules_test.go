package estimate_test

import (
	"fmt"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestRulesDecideAboutTheGistsOfNewUsersInAnEstimate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	w.sim.AddUser(sim.User{Login: "alice"})
	for i := range 250 { // Each tenth is about Terraform, and the newest has the lowest number.
		description := "notes"
		if i%10 == 0 {
			description = "terraform"
		}
		w.sim.AddGist("alice", sim.Gist{ID: fmt.Sprintf("aa%04d", i), Description: description, CreatedAt: now.AddDate(0, 0, -i)})
	}
	w.sim.MakeGists("bob", 3)
	question := estimate.Question{Logins: []string{"alice", "bob"}, Backfill: gistdeal.BackfillAll, Gists: 100, Results: 2}
	if e := w.answer(t, question); e.Rules != nil || e.Deals != 253 || w.sim.Report().Requests["GET /users/{login}/gists"] != 0 {
		t.Errorf("without rules: %+v", e)
	}
	_, err := rulesets.New(w.db).Save(t.Context(), rules.Set{Rules: []rules.Rule{
		{Name: "infra", Action: gistdeal.RuleCreate, Priority: gistdeal.PriorityHigh, Title: "Infra: {{.Login}}", All: []rules.Condition{{Fact: rules.Keyword, Value: "terraform"}}},
		{Name: "rest", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Backfill}}},
	}}, 0)
	testenv.Must(t, err)
	e := w.answer(t, question)
	if p := e.Rules; p == nil || p.Gists != 103 || p.Create != 10 || p.Skip != 93 || p.Rules["infra"] != 10 || len(p.Results) != 2 {
		t.Fatalf("%+v", e.Rules)
	}
	if r := e.Rules.Results[0]; r.GistID != "aa0000" || r.Rule != "infra" || r.Deal == nil || r.Deal.Title != "Infra: alice" || r.Priority != gistdeal.PriorityHigh {
		t.Errorf("%+v", r)
	}
	if r := e.Rules.Results[1]; r.Rule != "rest" || r.Deal != nil || len(r.Failed) != 1 || r.Failed[0].Rule != "infra" {
		t.Errorf("%+v", r)
	}
	// 150 gists that were not read are taken to be like the others.
	if e.Users[0].All != 25 || e.Users[1].All != 0 || e.Deals != 25 || w.sim.Report().Requests["GET /users/{login}/gists"] != 2 {
		t.Errorf("%d deals, users %+v", e.Deals, e.Users)
	}
	question.Backfill = gistdeal.Backfill(now.AddDate(0, 0, -45).UTC().Format(time.DateOnly))
	if e := w.answer(t, question); e.Deals != 5 || e.Rules.Gists < 46 || e.Rules.Gists > 46+3 {
		t.Errorf("since %s: %d deals of %+v", question.Backfill, e.Deals, e.Rules)
	}
}

func TestAnEstimateKnowsTheTagsThatUsersWillHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 3)
	w.sim.MakeGists("bob", 2)
	_, err := rulesets.New(w.db).Save(t.Context(), rules.Set{Rules: []rules.Rule{
		{Name: "customers", Action: gistdeal.RuleCreate, Title: `{{.Tags | join " "}}`, All: []rules.Condition{{Fact: rules.Tag, Value: "customer"}}},
		{Name: "rest", Action: gistdeal.RuleSkip},
	}}, 0)
	testenv.Must(t, err)
	e := w.answer(t, estimate.Question{Logins: []string{"alice", "@bob"}, Tags: map[string][]string{"@bob": {"vip", "customer"}}, Gists: 100, Results: 5})
	if e.Deals != 2 || e.Rules.Create != 2 || e.Rules.Skip != 3 || e.Rules.Results[3].Deal.Title != "customer vip" {
		t.Errorf("%d deals by %+v", e.Deals, e.Rules)
	}
}

func TestAUserWhoseGistsCannotBeReadHasNoEstimate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 3)
	w.sim.MakeGists("bob", 3)
	_, err := rulesets.New(w.db).Save(t.Context(), rules.Set{Rules: []rules.Rule{{Name: "all", Action: gistdeal.RuleCreate}}}, 0)
	testenv.Must(t, err)
	w.sim.AddFault(sim.Fault{Match: "GET /users/alice/gists", Kind: "error-before"})
	e := w.answer(t, estimate.Question{Logins: []string{"alice", "bob"}, Gists: 100})
	if e.Users[0].Problem == "" || e.Users[1].Problem != "" || e.Deals != 3 || e.Rules.Gists != 3 {
		t.Errorf("%+v", e)
	}
}
