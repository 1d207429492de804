package api_test

import (
	"net/http"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
	"gistdeal/internal/testing/testenv"
)

func TestRulesAreReplacedOnlyIfTheyAreAsTheyWereRead(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var list rules.Stored
	w.get("/rules", &list)
	if list.Version != 0 || list.Rules == nil {
		t.Errorf("%+v, want an empty list of version 0", list)
	}
	put := func(body, tag string) reply { return w.send(http.MethodPut, "/rules", body, "If-Match: "+tag) }
	const forks = `{"rules":[{"name":"forks","action":"skip","all":[{"fact":"fork"}]}]}`
	first := put(forks, `"0"`)
	w.read(first, http.StatusOK, &list)
	if list.Version != 1 || len(list.Rules) != 1 {
		t.Errorf("%+v", list)
	}
	w.refused(put(forks, `"0"`), http.StatusPreconditionFailed, "precondition-failed")
	w.read(put(forks, first.header.Get("ETag")), http.StatusOK, &list)
	w.read(w.send(http.MethodPut, "/rules", `{"rules":[]}`), http.StatusOK, &list)
	if list.Version != 3 || len(list.Rules) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestRulesWithMistakesAreRefused(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	for body, says := range map[string]string{
		`{"rules":[{"name":"a","action":"delete"}]}`:                                             "expected value to be one of",
		`{"rules":[{"name":"a","action":"skip","all":[{"fact":"regexp","value":"(a"}]}]}`:        "missing closing",
		`{"rules":[{"name":"a","action":"create","stage":"Nowhere"}]}`:                           "no stage",
		`{"rules":[{"name":"a","action":"create","title":"{{.Password}}"}]}`:                     "there is no .Password",
		`{"rules":[{"name":"a","action":"create"},{"name":"a","action":"hold","colour":"red"}]}`: "unexpected property",
	} {
		for _, r := range []reply{w.send(http.MethodPut, "/rules", body), w.send(http.MethodPost, "/rules/preview", body)} {
			w.refused(r, http.StatusBadRequest, "invalid")
			if !strings.Contains(r.body, says) {
				t.Errorf("%s: %s, want %q", body, r.body, says)
			}
		}
	}
}

func TestRulesArePreviewedSavedAndAppliedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	w.track(2, "bob")
	var tagged struct {
		Results []struct{ Result, Reason string }
	}
	w.read(w.send(http.MethodPost, "/users/tags", `{"users":["alice","nobody"],"add":["vip","emea"]}`), http.StatusOK, &tagged)
	if tagged.Results[0].Result != "tagged" || tagged.Results[0].Reason != "emea vip" || tagged.Results[1].Result != "not_found" {
		t.Errorf("%+v", tagged)
	}
	w.refused(w.send(http.MethodPost, "/users/tags", `{"users":["alice"],"add":["V I P"]}`), http.StatusBadRequest, "invalid")
	const vip = `{"rules":[{"name":"vip","action":"create","all":[{"fact":"tag","value":"vip"}],"title":"VIP: {{.Login}}"},{"name":"others","action":"skip"}]}`
	var p rulesets.RulePreview
	w.read(w.send(http.MethodPost, "/rules/preview", vip), http.StatusOK, &p)
	if p.Gists != p.Create+p.Skip || p.Create == 0 || p.Skip == 0 || p.CreateNow != p.Gists || p.Rules["vip"] != p.Create {
		t.Errorf("%+v", p)
	}
	for _, r := range p.Results {
		vip := r.Login == "alice"
		if (r.Rule == "vip") != vip || vip && r.Deal.Title != "VIP: alice" || !vip && (r.Deal != nil || len(r.Failed) != 1) || r.Now != gistdeal.RuleCreate {
			t.Errorf("%+v", r)
		}
	}
	w.read(w.send(http.MethodPut, "/rules", vip), http.StatusOK, nil)
	var c rulesets.RuleChanges
	w.get("/rules/apply", &c)
	var op gistdeal.Operation
	w.read(w.send(http.MethodPost, "/rules/apply", ""), http.StatusAccepted, &op)
	testenv.Eventually(t, "the operation has ended", func() bool {
		w.get("/operations/"+op.ID, &op)
		return op.State == gistdeal.OperationCompleted
	})
	w.get("/rules/apply", &c)
	if c.Queue+c.Hold+c.Skip+c.Content != 0 {
		t.Errorf("after the operation: %+v", c)
	}
	var catalog rulesets.RuleCatalog
	testenv.Eventually(t, "the catalog is known", func() bool {
		w.get("/rules/catalog", &catalog)
		return len(catalog.Stages) > 0 && len(catalog.Owners) > 0
	})
}
