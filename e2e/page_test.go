package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
)

func TestThePageShowsNewGistsThenOldOnesAndTheirDeals(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.AddUser(sim.User{Login: "Alice", Gists: []sim.Gist{
		{ID: "a1", Description: "<b>bold</b> & 'quoted'", Files: []sim.File{{Name: "one two.md"}}}, {ID: "a2", EmptyDescription: true}, {ID: "a3", Description: "third"},
	}})
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url),
		chromedp.Click("#skip-choices"),
		chromedp.SendKeys("#login", "alice"),
		chromedp.Click("#go"),
		// The page follows the scan and the deals without a reload.
		chromedp.WaitVisible(`#new-gists li[data-gist="a1"][data-state="created"] a.number`),
		chromedp.WaitVisible(`#new-gists li[data-gist="a3"][data-state="created"]`),
		chromedp.WaitVisible(`#new-gists li[data-gist="a1"] .files a`))
	if got := text(t, ctx, `#new-gists li[data-gist="a1"]`); !strings.Contains(got, "<b>bold</b> & 'quoted'") {
		t.Errorf("the description is shown as %q, want its exact text", got)
	}
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible(`#users a[data-login="Alice"]`))
	// An address of the page's earlier version leads there too.
	do(t, ctx, p, chromedp.Navigate(p.url+"/#Alice"), chromedp.WaitVisible(`#old-gists li[data-gist="a2"]`))
	if got := text(t, ctx, "#new-count"); got != "0" {
		t.Errorf("%q gists are new after the second visit", got)
	}
	if got := s.Report().Deals; got != 3 {
		t.Errorf("%d deals, want 3", got)
	}
}

func TestThePageExplainsAnInvalidLogin(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	ctx := browse(t)
	for login, want := range map[string]string{"nobody-here": "nobody-here", "not/a/login": "login"} {
		do(t, ctx, p,
			chromedp.Navigate("about:blank"),
			chromedp.Navigate(p.url),
			chromedp.Click("#skip-choices"),
			chromedp.SendKeys("#login", login),
			chromedp.Click("#go"),
			chromedp.WaitVisible(`#login[aria-invalid="true"]`))
		if got := text(t, ctx, "#login-wrong"); !strings.Contains(got, want) {
			t.Errorf("%s: the page shows %q, want %q in it", login, got, want)
		}
	}
}

func TestAUserThatWaitsForGitHubIsShownWithTheReason(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.AddFault(sim.Fault{Match: "GET /user", Kind: "limit", Header: map[string]string{"Retry-After": "600"}})
	s.MakeGists("alice", 1)
	env["GISTDEAL_REQUEST_WAIT"] = "200ms"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url),
		chromedp.Click("#skip-choices"),
		chromedp.SendKeys("#login", "alice"),
		chromedp.Click("#go"),
		chromedp.WaitVisible(`#login[aria-invalid="true"]`))
	if got := text(t, ctx, "#login-wrong"); !strings.Contains(got, "Waiting") {
		t.Errorf("the form shows %q, want that the request waits", got)
	}
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible("#view .empty"))
	if got := text(t, ctx, "#view"); !strings.Contains(got, "alice is not tracked yet") || !strings.Contains(got, "GitHub") {
		t.Errorf("the view shows %q, want that alice is not tracked yet, with a reason", got)
	}
}

func TestALinkToAnUntrackedUserTracksNobody(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 1)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible("#track"))
	if _, body := p.get("/trackedusers"); strings.TrimSpace(body) != "[]" {
		t.Errorf("tracked users are %s, want none before the click", body)
	}
	do(t, ctx, p, chromedp.Click("#track"), chromedp.WaitVisible(`#new-gists li[data-state="created"]`))
}

func TestTheDemoOpensWithThreeUsersAndTheirDeals(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"GISTDEAL_ADDR": "127.0.0.1:0", "GISTDEAL_LOG": "json"}, "demo")
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "users"),
		chromedp.WaitVisible("#demo"),
		chromedp.WaitVisible(`#users a[data-login="FortyFoxes"]`),
		chromedp.Click(`#users a[data-login="seven-swans"]`),
		chromedp.WaitVisible(`li[data-gist][data-state="created"]`))
	if got := text(t, ctx, "#demo"); !strings.Contains(got, "Nothing here is real") {
		t.Errorf("the banner shows %q", got)
	}
	if out := p.out.String(); !strings.Contains(out, "http://localhost:") || !strings.Contains(out, "/deals") {
		t.Errorf("the demo does not print its addresses:\n%s", out)
	}
}
