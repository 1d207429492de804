package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// typeIn replaces the text of a field, or chooses an option of it.
const typeIn = `(() => { const field = document.querySelector(%q); field.focus(); field.value = %q; return field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true})); })()`

// fill enters a text or chooses an option.
func fill(t *testing.T, ctx context.Context, selector, value string) {
	t.Helper()
	waitFor(t, ctx, fmt.Sprintf(`document.querySelector(%q)`, selector))
	eval[any](t, ctx, fmt.Sprintf(typeIn, selector, value))
}

// ruleNames returns the names of the rules that are saved, in order.
func (p *process) ruleNames() (names []string) {
	p.t.Helper()
	_, body := p.get("/api/v1/rules")
	var saved struct {
		Rules []struct{ Name string }
	}
	testenv.Must(p.t, json.Unmarshal([]byte(body), &saved))
	for _, r := range saved.Rules {
		names = append(names, r.Name)
	}
	return names
}

func TestARuleIsAddedPreviewedOrderedAndSavedOnThePage(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{
		{ID: "a1", Description: "a module", Files: []sim.File{{Name: "main.tf"}}}, {ID: "a2", Description: "notes"}, {ID: "a3", Description: "more notes"},
	}})
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	ctx := browse(t)
	do(t, ctx, p, open(p, "settings"))
	click(t, ctx, "#to-rules")
	waitForText(t, ctx, "#rule-counts", "3 of 3 gists get a deal; as many as now")

	click(t, ctx, "#add-rule")
	waitForText(t, ctx, "#rule-preview", "Not complete yet") // It has no name.
	fill(t, ctx, `[data-field="name"]`, "infrastructure")
	fill(t, ctx, `[data-field="action"]`, "skip")
	click(t, ctx, `[data-add="any"]`)
	fill(t, ctx, `[data-group="any"] [data-field="fact"]`, "file")
	fill(t, ctx, `[data-group="any"] [data-field="value"]`, "*.tf")
	waitForText(t, ctx, "#rule-counts", "2 of 3 gists get a deal; 1 fewer than now")
	waitForText(t, ctx, `[data-rule="infrastructure"]`, "If a file is named like “*.tf”: create no deal.")
	waitForText(t, ctx, `[data-gist="a2"] .why`, `Not “infrastructure”: none holds, first: a file is named like "*.tf"`)
	waitFor(t, ctx, `document.querySelector('[data-gist="a1"]').dataset.decided === 'skip'`)
	for _, theme := range []string{"light", "dark"} {
		addAxe(t, ctx)
		look(t, ctx, p, "rules, with a form", theme, 320)
	}

	click(t, ctx, "#add-rule")
	fill(t, ctx, `form [data-field="name"]`, "notes")
	fill(t, ctx, `form [data-field="title"]`, "{{.FirstLines | line}}")
	waitForText(t, ctx, "#rule-asks", "GitHub is asked about 2 of them alone when they are noticed")
	waitForText(t, ctx, `[data-gist="a3"] dl`, "titlefirst lines of files are read when a gist is noticed")
	fill(t, ctx, `form [data-field="title"]`, "{{.Login}} wrote")
	click(t, ctx, `[data-add="all"]`)
	fill(t, ctx, `[data-group="all"] [data-field="value"]`, "notes")
	waitForText(t, ctx, `[data-gist="a3"] dl`, "alice wrote")
	fill(t, ctx, `form [data-field="title_on_edit"]`, "update")
	fill(t, ctx, `form [data-field="on_delete"]`, "stage")
	waitForText(t, ctx, "#rule-preview", "Not complete yet") // It has no stage.
	fill(t, ctx, `form [data-field="on_delete_stage"]`, "6")
	waitForText(t, ctx, `[data-rule="notes"]`, "with its own title, following edits, moved to Done if the gist is deleted.")
	waitForText(t, ctx, "#rule-changing", "2 deals follow changes of their gists: each change takes up to 6 tokens on top.")
	look(t, ctx, p, "a rule that follows its gists", "light", 320)
	click(t, ctx, `[data-rule="notes"] [data-act="up"]`)
	if first := eval[string](t, ctx, `document.querySelector('#rules li').dataset.rule + ' ' + document.activeElement.dataset.act`); first != "notes edit" && first != "notes down" {
		t.Errorf("after Up, the first rule and the focus are %q, want notes and a button of it", first)
	}
	if n := eval[int](t, ctx, `document.querySelectorAll('#rules > li:last-child button').length`); n != 1 {
		t.Errorf("the last rule has %d buttons, want that of its limits: it cannot be moved or removed", n)
	}
	click(t, ctx, `#rules > li:last-child [data-act="edit"]`)
	fill(t, ctx, `#rules > li:last-child [data-field="per_day"]`, "20")
	waitForText(t, ctx, `#rules > li:last-child`, "the usual title and fields, at most 20 a day.")
	look(t, ctx, p, "the limits of the last rule", "light", 320)
	click(t, ctx, `#rules > li:last-child [data-act="edit"]`)
	eval[any](t, ctx, `(() => {
		const data = new DataTransfer();
		const send = (selector, type) => document.querySelector(selector).dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data}));
		send('[data-rule="infrastructure"] .handle', 'dragstart');
		send('[data-rule="notes"]', 'dragover');
		send('[data-rule="notes"]', 'drop');
	})()`)
	waitFor(t, ctx, `document.querySelector('#rules li').dataset.rule === 'infrastructure'`)
	eval[any](t, ctx, `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', altKey: true, bubbles: true}))`)
	waitFor(t, ctx, `document.querySelector('#rules li').dataset.rule === 'notes'`)
	// The draft stays while another view is shown.
	do(t, ctx, p, open(p, "settings"))
	click(t, ctx, "#to-rules")
	click(t, ctx, "#save-rules")
	waitForText(t, ctx, "#toasts", "Saved")
	if names := p.ruleNames(); !slices.Equal(names, []string{"notes", "infrastructure"}) {
		t.Errorf("the saved rules are %q, want those of the page in its order", names)
	}
	if _, body := p.get("/api/v1/rules"); !strings.Contains(body, `"title_on_edit":"update"`) || !strings.Contains(body, `"on_delete_stage_id":7`) || !strings.Contains(body, `"everything_else":{"per_day":20}`) {
		t.Errorf("the saved rules lack effects of edits and deletions, or the limit of the last rule: %s", body)
	}
}

func TestThePageTellsThatSomebodyElseSavedRulesAndAppliesRulesAgainAfterItAsked(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 2)
	p := start(t, env)
	wantRun(t, env, 0, "", "pause", "--reason", "to keep deals queued")
	p.user("alice")
	ctx := browse(t)
	do(t, ctx, p, open(p, "rules"))
	click(t, ctx, "#add-rule")
	fill(t, ctx, `[data-field="name"]`, "mine")
	p.put("/api/v1/rules", `{"rules":[{"name":"theirs","action":"skip","all":[{"fact":"fork"}]}]}`)
	click(t, ctx, "#save-rules")
	waitForText(t, ctx, "#rule-notes", "Somebody else has saved rules")
	if names := p.ruleNames(); strings.Join(names, " ") != "theirs" {
		t.Errorf("the saved rules are %q, want those of the other person", names)
	}
	click(t, ctx, `[data-act="mine"]`)
	waitFor(t, ctx, `document.querySelector('#rule-notes').childElementCount === 0`)
	click(t, ctx, "#save-rules")
	waitForText(t, ctx, "#rule-changes", "2 deals would get another content or rule")
	if names := p.ruleNames(); strings.Join(names, " ") != "mine" {
		t.Errorf("the saved rules are %q, want those of the page, as its user chose", names)
	}
	click(t, ctx, "dialog .end button") // Cancel
	click(t, ctx, `[data-rule="mine"] [data-act="delete"]`)
	p.put("/api/v1/rules", `{"rules":[{"name":"theirs","action":"skip","all":[{"fact":"fork"}]}]}`)
	click(t, ctx, "#save-rules")
	click(t, ctx, `[data-act="theirs"]`)
	waitFor(t, ctx, `document.querySelector('[data-rule="theirs"]') && !document.querySelector('[data-rule="mine"]')`)

	click(t, ctx, "#add-rule")
	fill(t, ctx, `form [data-field="name"]`, "mine")
	fill(t, ctx, `form [data-field="action"]`, "skip")
	click(t, ctx, "#save-rules")
	waitForText(t, ctx, "#rule-changes", "2 deals more would be skipped")
	accessible(t, ctx, "the question before rules are applied again")
	click(t, ctx, "dialog button.primary")
	waitForText(t, ctx, "#view", "Completed")
	if got := p.user("alice").Old[0].Deal.State; got != "skipped" {
		t.Errorf("the deal of a gist is %s, want that the rule skipped it", got)
	}
}

func TestAReaderSeesTheRulesAndCannotChangeThem(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_ADMIN_TOKEN"] = "an-admin-token-of-24-characters"
	file := filepath.Join(t.TempDir(), "rules.yaml")
	testenv.Must(t, os.WriteFile(file, []byte("rules: [{name: forks, action: skip, all: [{fact: fork}]}]"), 0o600))
	p := start(t, env)
	wantRun(t, env, 0, "", "rules", "apply", "-f", file, "--yes")
	_, token := run(t, env, "tokens", "add", "--name", "reader", "--scope", "read", "--json")
	token = regexp.MustCompile(`gd_[A-Z0-9]+`).FindString(token)
	ctx := browse(t)
	do(t, ctx, p, open(p, "rules"), chromedp.WaitVisible("#token"), chromedp.SendKeys("#token", token+kb.Enter))
	waitForText(t, ctx, `[data-rule="forks"]`, "If the gist is a fork: create no deal.")
	waitForText(t, ctx, "#rule-card", "Only admin tokens can change rules.")
	waitForText(t, ctx, "#rule-preview h2", "Preview")
	if n := eval[int](t, ctx, `document.querySelectorAll('#rule-card :is(button, input, select, .handle)').length`); n != 0 {
		t.Errorf("a reader sees %d controls in the list of rules, want none", n)
	}
	accessible(t, ctx, "rules of a reader")
}

func TestThePageShowsWhatTheRulesDecideBeforeAUserIsTracked(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{
		{ID: "a1", Description: "a module", Files: []sim.File{{Name: "main.tf"}}}, {ID: "a2", Description: "notes"}, {ID: "a3", Description: "more notes"},
	}})
	p := start(t, env)
	set := `{"rules":[{"name":"infra","action":"create","title":"Infra: {{.Login}}","all":[{"fact":"file","value":"*.tf"}]},{"name":"rest","action":"skip"}]}`
	p.put("/api/v1/rules", set)
	ctx := browse(t)
	do(t, ctx, p, open(p, "users"))
	fill(t, ctx, "#login", "alice")
	click(t, ctx, "#go")
	waitForText(t, ctx, "#by-rules summary", "By the rules, 1 of the last 3 gists get a deal, 0 wait for approval, 2 get none.")
	click(t, ctx, "#by-rules summary")
	waitForText(t, ctx, "#by-rules [data-decided=create]", "a module: “Infra: alice”, by “infra”")
	click(t, ctx, "dialog button.primary")
	waitForDeals(t, p, "alice", 1)
}
