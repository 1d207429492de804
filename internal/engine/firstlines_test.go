package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/operation"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

const getGist = "GET /gists/{id}"

// beginning is a rule with deals that show the first lines of a file.
func beginning() rules.Rule {
	return rules.Rule{Name: "beginning", Action: gistdeal.RuleCreate, Title: "{{.Login}}: {{.FirstLines | line}}", Fields: []rules.Field{{Field: "Beginning", Template: "{{.FirstLines | lines 2}}"}}}
}

// files returns the only file of a gist.
func files(text string) []sim.File { return []sim.File{{Name: "a.md", Text: text}} }

func TestFirstLinesOfFilesAreReadBeforeARuleDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	code := w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat"})
	for _, g := range []sim.Gist{
		{ID: "aa01", Files: files("# One\nsecond\nthird")},
		{ID: "aa02", Fork: true, Files: files("# Two")},
		{ID: "aa03", Files: files("# Three")},
		{ID: "aa04", Files: files("# Four")},
		{ID: "aa05", Files: []sim.File{{Name: "a.png", Text: "\x89PNG", Binary: true}}},
		{ID: "aa06", Description: "skip it", Files: files("# Six")},
		{ID: "aa07", Files: []sim.File{{Name: "large.md", Text: strings.Repeat("# Seven\n", 1<<18)}}},
	} {
		w.sim.AddGist("octocat", g)
	}
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa03", Kind: "answer", Status: http.StatusNotFound, Body: `{"message": "Not Found"}`})
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa04", Kind: "answer", Status: http.StatusBadGateway, Body: `{"message": "Server Error"}`, Times: 3})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1,
		rules.Rule{Name: "no", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Keyword, Value: "skip"}}},
		rules.Rule{Name: "forks", Action: gistdeal.RuleSkip, All: []rules.Condition{{Fact: rules.Fork}}},
		beginning())
	w.ask(r.store, gistdeal.ScanRequest{Login: "octocat"})
	w.eventually("three deals are created", func() bool { return len(w.sim.Deals()) == 3 })
	w.eventually("two wait", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealAwaitingApproval) == 2 })
	w.eventually("the deals are recorded", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealCreated) == 3 })
	got := map[string]string{}
	gistID, _ := w.sim.Field("Gist ID")
	for _, d := range w.sim.Deals() {
		got[d.Custom[gistID].(string)] = fmt.Sprint(d.Title, "|", d.Custom[code])
	}
	if want := map[string]string{"aa01": "octocat: # One|# One\nsecond", "aa05": "octocat:|<nil>", "aa07": "octocat: # Seven|# Seven\n# Seven"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the deals say %q, want %q", got, want)
	}
	deals := w.deals(r, "octocat")
	for id, want := range map[string]string{
		"aa02": `the rule "forks" skips it`, "aa06": `the rule "no" skips it`,
		"aa03": `awaiting approval: the rule "forks" cannot decide`, "aa04": `awaiting approval: the rule "forks" cannot decide`,
	} {
		if d := deals[id]; !strings.HasPrefix(d.Problem, want) {
			t.Errorf("%+v, want %q", d, want)
		}
	}
	// One request tells of forks and of first lines.
	if n := w.count(getGist); n != 6+2 {
		t.Errorf("%d requests for single gists, want one for each but the one that is skipped, and three for the one that fails", n)
	}
}

func TestADealWhoseFirstLinesAreNotKnownWaitsUntilRulesAreAppliedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat"})
	for i, id := range []string{"aa01", "aa02", "aa03"} {
		w.sim.AddGist("octocat", sim.Gist{ID: id, Files: files(fmt.Sprint("# Text ", i+1))})
	}
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa01", Kind: "answer", Status: http.StatusBadGateway, Body: `{"message": "Server Error"}`, Times: 3})
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa02", Kind: "answer", Status: http.StatusNotFound, Body: `{"message": "Not Found"}`})
	hub, _ := stack.Clients(t, w.url, pipedrive.Options{})
	r := w.start()
	w.connected(r)
	operations := operation.New(r.store, nil)
	w.saveRules(r, 1, beginning())
	w.ask(r.store, gistdeal.ScanRequest{Login: "octocat"})
	w.eventually("one deal is created", func() bool { return len(w.sim.Deals()) == 1 })
	w.eventually("it is recorded", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealCreated) == 1 })
	w.eventually("two wait", func() bool { return dealsIn(w, r, "octocat", gistdeal.DealAwaitingApproval) == 2 })
	if d := w.deals(r, "octocat")["aa01"]; d.Problem != `awaiting approval: the rule "beginning": GitHub did not tell the first lines of the files: look up gist aa01: GitHub answers 502 "Server Error"` {
		t.Errorf("%+v", d)
	}
	set := rulesets.New(r.store)
	p, err := set.Preview(t.Context(), nil, 10, 10)
	testenv.Must(t, err)
	for _, one := range p.Results {
		if unknown := len(one.Deal.Unknown) > 0; unknown != (one.GistID != "aa03") {
			t.Errorf("a preview asks nobody, and shows %+v", one.Deal)
		}
	}
	changes, _, err := set.Changes(t.Context())
	if err != nil || changes.Asked != 2 || changes.Queue != 2 || p.Asked != 3 {
		t.Errorf("%+v, %v; and %+v", changes, err, p.Tally)
	}
	op, err := operations.ApplyRules(t.Context(), operation.NewID())
	testenv.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- operations.Run(ctx, hub) }()
	w.eventually("the rules are applied", func() bool {
		now, err := operations.Get(t.Context(), op.ID)
		testenv.Must(t, err)
		return !now.EndedAt.IsZero()
	})
	cancel()
	testenv.Must(t, <-ended)
	w.eventually("the deal is created", func() bool { return w.deals(r, "octocat")["aa01"].State == gistdeal.DealCreated })
	if d := w.deals(r, "octocat")["aa02"]; d.State != gistdeal.DealAwaitingApproval || !strings.HasSuffix(d.Problem, "not found on GitHub") {
		t.Errorf("%+v, want that it waits: the gist is deleted", d)
	}
	titles := map[string]bool{}
	for _, d := range w.sim.Deals() {
		titles[d.Title] = true
	}
	if len(titles) != 2 || !titles["octocat: # Text 1"] || !titles["octocat: # Text 3"] {
		t.Errorf("the titles are %v", titles)
	}
}

func TestNoDealWaitsForApprovalAfterAShortFaultOfGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat", Gists: []sim.Gist{{ID: "aa01", Files: files("# One")}, {ID: "aa02", Files: files("# Two")}}})
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa", Kind: "drop-before", Times: 2})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, beginning())
	w.ask(r.store, gistdeal.ScanRequest{Login: "octocat"})
	w.eventually("both deals are created", func() bool { return len(w.sim.Deals()) == 2 })
	if n := w.count(getGist); n != 4 {
		t.Errorf("%d requests, want one for each gist and two that failed", n)
	}
	for _, d := range w.sim.Deals() {
		if !strings.HasPrefix(d.Title, "octocat: # ") {
			t.Errorf("a deal is titled %q", d.Title)
		}
	}
}

func TestALimitWhileGistsAreReadAloneKeepsThoseThatWereRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.withoutGraphQL()
	w.sim.AddField("Beginning", "text")
	var gists []sim.Gist
	for i := range 9 {
		gists = append(gists, sim.Gist{ID: fmt.Sprint("aa", i), Files: files("# Text")})
	}
	w.sim.AddUser(sim.User{Login: "octocat", Gists: gists})
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa", Kind: "limit", After: 4, Times: 1, Header: map[string]string{"Retry-After": "1"}})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, beginning())
	w.ask(r.store, gistdeal.ScanRequest{Login: "octocat"})
	w.eventually("all deals are created", func() bool { return len(w.sim.Deals()) == len(gists) })
	if n := w.count(getGist); n != len(gists)+1 {
		t.Errorf("%d requests, want one for each gist and the one that was refused", n)
	}
}

func TestFirstLinesOfGistsInTheFeedAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.options.FeedInterval = 100 * time.Millisecond
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat"})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, beginning())
	testenv.Must(t, w.track(r, "octocat"))
	w.sim.AddFault(sim.Fault{Match: "GET /gists/aa", Kind: "limit", After: 1, Times: 1, Header: map[string]string{"Retry-After": "1"}})
	w.sim.AddGist("octocat", sim.Gist{ID: "aa01", Files: files("# One")})
	w.sim.AddGist("octocat", sim.Gist{ID: "aa02", Files: files("# Two")})
	w.eventually("both deals are created", func() bool { return len(w.sim.Deals()) == 2 })
	titles := []string{w.sim.Deals()[0].Title, w.sim.Deals()[1].Title}
	slices.Sort(titles)
	if !slices.Equal(titles, []string{"octocat: # One", "octocat: # Two"}) || w.count(getGist) != 3 || w.lists() != 1 {
		t.Errorf("the titles are %q after %d requests for single gists and %d lists, want one of them refused and one list", titles, w.count(getGist), w.lists())
	}
}

func TestGistsThatTheBackfillSkipsAreNotReadAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.options.Backfill = gistdeal.BackfillNone
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "octocat", Gists: simGists("aa", 3)})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, beginning())
	testenv.Must(t, w.track(r, "octocat"))
	w.ask(r.store, gistdeal.ScanRequest{Login: "octocat"})
	if n, skipped := w.count(getGist), dealsIn(w, r, "octocat", gistdeal.DealSkipped); n != 0 || skipped != 3 {
		t.Errorf("%d requests, and %d deals are skipped", n, skipped)
	}
}

func TestAUserThatIsTakenInIsScannedIfItsDealsShowFirstLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddField("Beginning", "text")
	w.sim.AddUser(sim.User{Login: "user-0", Gists: []sim.Gist{{ID: "aa01", Files: files("# One")}}})
	w.sim.AddUser(sim.User{Login: "user-1", Gists: []sim.Gist{{ID: "bb01", Description: "plain", Files: files("# Two")}}})
	r := w.start()
	w.connected(r)
	w.saveRules(r, 1, rules.Rule{Name: "plain", Action: gistdeal.RuleCreate, All: []rules.Condition{{Fact: rules.Keyword, Value: "plain"}}}, beginning())
	w.ask(r.store, gistdeal.ScanRequest{Login: "user-0"}, gistdeal.ScanRequest{Login: "user-1"})
	w.eventually("both deals are created", func() bool { return len(w.sim.Deals()) == 2 })
	for _, d := range w.sim.Deals() {
		if d.Title != "user-0: # One" && d.Title != "Gist from user-1" {
			t.Errorf("a deal is titled %q", d.Title)
		}
	}
	if lists, asked := w.lists(), w.count(getGist); lists != 1 || asked != 1 {
		t.Errorf("%d lists and %d single gists were read, want one of each", lists, asked)
	}
}

func TestFirstLinesFollowAnEdit(t *testing.T) {
	t.Parallel()
	a := follow(t, rules.Rule{Fields: []rules.Field{{Field: "Teller", Template: "{{range .Files}}{{.Name}}: {{.FirstLines}}{{end}}", OnEdit: gistdeal.EditUpdate}}})
	before := a.count(getGist)
	a.sim.AddFault(sim.Fault{Match: "GET /gists/aa01", Kind: "answer", Status: http.StatusBadGateway, Body: `{"message": "Server Error"}`, Times: 1})
	a.sim.EditGist("aa01", func(g *sim.Gist) { g.Files[0].Text, g.UpdatedAt = "package other", a.clock.now().Add(time.Second) })
	a.scan()
	a.followed()
	if d := a.deal(); d.Custom[a.teller] != "a.go: package other" {
		t.Errorf("%+v", d)
	}
	if n := a.count(getGist) - before; n != 2 {
		t.Errorf("%d requests for the gist, want one that failed and one", n)
	}
}
