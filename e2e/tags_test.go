package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// states returns the states of the deals of a user.
func (p *process) states(login string) string {
	p.t.Helper()
	u := p.user(login)
	var all []string
	for _, g := range append(u.Old, u.New...) {
		all = append(all, g.Deal.State)
	}
	return strings.Join(all, " ")
}

func TestTagsOfThePageAndOfCommandsChooseTheRule(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	for _, login := range []string{"alice", "bob", "carol", "dave"} {
		s.MakeGists(login, 2)
	}
	dir := t.TempDir()
	set, users := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "users.csv")
	testenv.Must(t, os.WriteFile(set, []byte(`rules:
- {name: customers, action: create, title: "Customer {{.Login}} ({{.Tags | join \" \"}})", all: [{fact: tag, value: customer}]}
- {name: others, action: skip}
`), 0o600))
	testenv.Must(t, os.WriteFile(users, []byte("login,tags\nbob,customer vip\ndave,partner\n"), 0o600))
	p := start(t, env)
	wantRun(t, env, 0, "", "rules", "apply", "-f", set, "--yes")
	wantState := func(login, want string) {
		t.Helper()
		testenv.Eventually(t, "the deals of "+login+" are "+want, func() bool { return p.states(login) == want+" "+want }, p.out)
	}

	// Pasted on the page, from a table and without tags.
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "add"), chromedp.WaitVisible("#logins"), chromedp.SendKeys("#logins", "login,tags\ncarol,customer\nalice,\n"), chromedp.Click(`input[value="all"]`), chromedp.Click("#add"))
	waitForText(t, ctx, "#by-rules summary", "By the rules, 2 of the last 4 gists get a deal") // Before they are tracked.
	click(t, ctx, "dialog button.primary")
	do(t, ctx, p,
		chromedp.WaitVisible(`#added tr[data-input="carol"][data-result="added"]`), chromedp.WaitVisible(`#added tr[data-input="alice"][data-result="added"]`))
	wantState("carol", "created")
	wantState("alice", "skipped")

	// From a file, and given afterwards: the rules decide again only when they are told to.
	wantRun(t, env, 0, "added", "users", "add", "--file", users, "--yes")
	wantState("bob", "created")
	wantState("dave", "skipped")
	wantRun(t, env, 0, "alice", "users", "tag", "alice", "--add", "customer")
	wantState("alice", "skipped")
	wantRun(t, env, 0, "", "rules", "again", "--yes")
	wantState("alice", "created")
	wantState("dave", "skipped")
	wantRun(t, env, 0, "carol", "users", "tag", "carol", "--remove", "customer")

	// The preview on the page has the tags of now.
	do(t, ctx, p, open(p, "rules"))
	waitForText(t, ctx, `[data-rule="customers"]`, "If the user has the tag “customer”")
	waitForText(t, ctx, "#rule-counts", "4 of 8 gists get a deal")
	titles := map[string]int{}
	for _, d := range s.Deals() {
		titles[d.Title]++
	}
	if len(titles) != 3 || titles["Customer carol (customer)"] != 2 || titles["Customer bob (customer vip)"] != 2 || titles["Customer alice (customer)"] != 2 {
		t.Errorf("deals are titled %v", titles)
	}
	wantDeals(t, s, 6)
}
