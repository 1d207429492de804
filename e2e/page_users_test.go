package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestPastedUsersHaveAResultEach(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	for _, login := range []string{"alice", "bob", "carol"} {
		s.MakeGists(login, 2)
	}
	p := start(t, env)
	ctx := browse(t)
	paste := func(text, policy string) {
		do(t, ctx, p,
			chromedp.Navigate("about:blank"), open(p, "add"),
			chromedp.SendKeys("#logins", text),
			chromedp.Click(fmt.Sprintf(`input[value="%s"]`, policy)),
			chromedp.Click("#add"))
	}
	paste("@alice https://github.com/bob\n-bad- nobody-here # a comment", "none")
	for requested, result := range map[string]string{"@alice": "added", "https://github.com/bob": "added", "-bad-": "invalid", "nobody-here": "not_found"} {
		do(t, ctx, p, chromedp.WaitVisible(fmt.Sprintf(`#added tr[data-input="%s"][data-result="%s"]`, requested, result)))
	}
	// Those that failed come first, and are copied one a line; without a permission, a browser shows them.
	if got := eval[string](t, ctx, `[...document.querySelectorAll('#added tbody tr')].slice(0, 2).map((line) => line.dataset.input).sort().join(' ')`); got != "-bad- nobody-here" {
		t.Errorf("the first results are %q, want those that failed", got)
	}
	eval[any](t, ctx, `(Object.defineProperty(navigator, 'clipboard', {value: undefined}), null)`)
	click(t, ctx, `#added [data-act="copy-failed"]`)
	waitFor(t, ctx, `document.querySelector('#added textarea')?.value.split('\n').sort().join(' ') === '-bad- nobody-here'`)
	if got := text(t, ctx, "#added"); strings.Contains(got, "comment") {
		t.Errorf("a comment was read as a login: %s", got)
	}
	// Only the columns of logins and tags are read from a table.
	paste("url,login,tags\nacme.example,carol,customer\numbrella.example,alice,\n", "all")
	do(t, ctx, p,
		chromedp.WaitVisible(`#added tr[data-input="carol"][data-result="added"]`),
		chromedp.WaitVisible(`#added tr[data-input="alice"][data-result="tracked"]`))
	if got := eval[int](t, ctx, `document.querySelectorAll('#added tbody tr').length`); got != 2 {
		t.Errorf("%d results, want 2", got)
	}
	do(t, ctx, p, open(p, "users/carol"), chromedp.WaitVisible(`li[data-state="created"]`), open(p, "users/alice"), chromedp.WaitVisible(`li[data-state="skipped"]`))
	if got := s.Report().Deals; got != 2 {
		t.Errorf("%d deals, want 2 of carol", got)
	}
}

func TestThePageShowsThatARetriedDealIsCreated(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 3)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid"})
	p := start(t, env)
	p.user("alice")
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "users/alice"),
		chromedp.WaitVisible(`li[data-state="failed"] [data-act="retry"]`),
		chromedp.WaitNotPresent(`li:is([data-state="queued"], [data-state="sending"])`))
	s.ClearFaults()
	// This view learns of the deal from the event stream only.
	do(t, ctx, p, chromedp.Click(`li[data-state="failed"] [data-act="retry"]`), chromedp.WaitVisible(`li[data-state="created"] a.number`))
	do(t, ctx, p, chromedp.Click(`li[data-state="created"] [data-act="history"]`), chromedp.WaitVisible("dialog .history"))
	if got := text(t, ctx, "dialog"); !strings.Contains(got, "Attempt 1: rejected by Pipedrive") || !strings.Contains(got, "Attempt 2: deal created") {
		t.Errorf("the history is %q", got)
	}
	do(t, ctx, p,
		chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("dialog"),
		open(p, "failures"),
		chromedp.Click(`[data-act="retry-cause"]`),
		chromedp.WaitNotPresent(".cause"), chromedp.WaitVisible(".empty"))
	testenv.Eventually(t, "all deals exist", func() bool { return s.Report().Deals == 3 }, p.out)
}

func TestManyUsersArePausedAndListedOnThePage(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	logins := []string{"alice", "bob", "bobby"}
	for _, login := range logins {
		s.MakeGists(login, 1)
	}
	p := start(t, env)
	for _, login := range logins {
		p.user(login)
	}
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "users"),
		chromedp.WaitVisible(`tr[data-login="alice"]`),
		chromedp.SendKeys("#search", "BOB"),
		chromedp.WaitNotPresent(`tr[data-login="alice"]`),
		chromedp.Click("thead input"),
		chromedp.Click(`[data-bulk="pause"]`),
		chromedp.WaitVisible(`tr[data-login="bob"] td [data-tone="warn"]`),
		chromedp.WaitNotVisible(".bulk"))
	if got := text(t, ctx, "#toasts"); !strings.HasPrefix(got, "2 users paused") || strings.Contains(got, "not changed") {
		t.Errorf("the page says %q, want that 2 users are paused", got)
	}
	do(t, ctx, p,
		chromedp.KeyEvent(kb.Escape),
		chromedp.WaitVisible(`tr[data-login="alice"]`),
		chromedp.Click(`.chips a[data-state="paused"]`),
		chromedp.WaitNotPresent(`tr[data-login="alice"]`),
		chromedp.WaitVisible(`tr[data-login="bobby"]`),
		open(p, "users/bobby"))
	waitFor(t, ctx, `document.querySelector('[data-act="resume"]')`)
	if eval[bool](t, ctx, `document.querySelector('[data-act="scan"]') !== null`) {
		t.Error("the page offers to scan a paused user, which is not scanned")
	}
}

func TestABulkChangeIncludesMatchingUsersOnOtherPages(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	for i := range 60 {
		login := fmt.Sprintf("bob%02d", i)
		s.MakeGists(login, 0)
		p.user(login)
	}
	s.MakeGists("alice", 0)
	p.user("alice")
	paused := func() string {
		_, body := p.get("/api/v1/users?state=paused&limit=500")
		return fmt.Sprint(strings.Count(body, `"login":"bob`), strings.Count(body, `"login":"alice"`))
	}
	ctx := browse(t)
	do(t, ctx, p,
		open(p, "users?search=bob"),
		chromedp.WaitVisible(`tr[data-login="bob59"]`),
		chromedp.Click("thead input"),
		chromedp.Click(`[data-beyond="yes"]`),
		chromedp.WaitVisible(`[data-beyond="no"]`),
		chromedp.Click(`[data-bulk="pause"]`),
		chromedp.Click(`dialog[open] button[value="yes"]`),
		chromedp.WaitNotVisible(".bulk"))
	if got := paused(); got != "60 0" {
		t.Errorf("%s of the 60 bobs and alice are paused, want 60 and 0", got)
	}
	do(t, ctx, p,
		chromedp.Click("thead input"),
		chromedp.Click(`[data-beyond="yes"]`),
		chromedp.Click(`tr[data-login="bob59"] input`), // After this the selection is the shown users again.
		chromedp.WaitNotPresent(`[data-beyond]`),
		chromedp.Click(`[data-bulk="resume"]`),
		chromedp.WaitNotVisible(".bulk"))
	if got := paused(); got != "11 0" {
		t.Errorf("%s of the 60 bobs and alice are paused, want the 11 unselected ones", got)
	}
}

func TestThePageWorksByKeyboardAlone(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 1)
	p := start(t, env)
	ctx := browse(t)
	focused := func(want string) {
		t.Helper()
		testenv.Eventually(t, want+" has the focus", func() bool {
			return eval[bool](t, ctx, fmt.Sprintf(`document.activeElement.matches(%q)`, want))
		}, dump(func() string { return eval[string](t, ctx, `document.activeElement.outerHTML.slice(0, 200)`) }))
	}
	click := func(keys string) { t.Helper(); do(t, ctx, p, chromedp.KeyEvent(keys)) }
	do(t, ctx, p, chromedp.Navigate(p.url), chromedp.WaitVisible("#choices"))
	click(kb.Tab)
	focused("#skip")
	click(kb.Enter)
	focused("h1")
	for _, id := range []string{"skip-choices", "login"} {
		for !eval[bool](t, ctx, fmt.Sprintf(`document.activeElement.id === %q`, id)) {
			click(kb.Tab)
		}
		if id == "skip-choices" {
			click(kb.Enter)
			do(t, ctx, p, chromedp.WaitVisible("#login"))
		}
	}
	click("alice" + kb.Enter)
	focused("h1")
	do(t, ctx, p, chromedp.WaitVisible(`li[data-state="created"]`))
	click("?")
	do(t, ctx, p, chromedp.WaitVisible("dialog[open]"))
	click(kb.Escape)
	do(t, ctx, p, chromedp.WaitNotPresent("dialog"))
	click("/")
	focused("#search")
	click("zzz")
	do(t, ctx, p, chromedp.WaitNotPresent("#users tbody tr"))
	click(kb.Escape)
	do(t, ctx, p, chromedp.WaitVisible("#users tbody tr"))
	// Shortcuts do not apply in the search box.
	click("?/")
	if got := eval[string](t, ctx, `document.activeElement.value`); got != "?/" {
		t.Errorf("the search box contains %q", got)
	}
}

func TestThePageReconnectsAfterARestart(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 1)
	env["GISTDEAL_SCAN_INTERVAL"] = "2s"
	p := start(t, env)
	p.user("alice")
	ctx := browse(t)
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible(`li[data-gist]`), chromedp.WaitVisible(`#live[data-on="true"]`))
	p.signal(9)
	do(t, ctx, p, chromedp.WaitVisible(`#live[data-on="false"]`), chromedp.WaitVisible(`li[data-gist]`))
	s.AddGist("alice", sim.Gist{ID: "meanwhile"})
	env["GISTDEAL_ADDR"] = strings.TrimPrefix(p.url, "http://")
	p = start(t, env)
	do(t, ctx, p, chromedp.WaitVisible(`#live[data-on="true"]`), chromedp.WaitVisible(`.arrivals button, li[data-gist="meanwhile"]`))
}

func TestALinkOutsideThePageTracksNobodyBeforeAConfirmation(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 1)
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-token-of-thirty-two-letters"
	for _, host := range []string{"127.0.0.1", "gistdeal.test"} { // Browsers tell more about themselves to a loopback address.
		p := start(t, env)
		ctx := browse(t, chromedp.Flag("host-resolver-rules", "MAP gistdeal.test 127.0.0.1"))
		_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
		at := "http://" + host + ":" + port
		do(t, ctx, p,
			chromedp.Navigate(at), chromedp.SendKeys("#token", env["GISTDEAL_ADMIN_TOKEN"]+kb.Enter), chromedp.WaitVisible("#leave"),
			chromedp.Navigate("about:blank"), chromedp.Navigate(at+"/user/alice"), chromedp.WaitVisible("#track"))
		if got := s.Report().Requests["GET /users/{login}"]; got != 0 {
			t.Errorf("%s: %d lookups before the confirmation", host, got)
		}
		p.signal(9)
	}
}

func TestThePageRequestsATokenWhereNeeded(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_ADMIN_TOKEN"] = "secret-token-of-thirty-two-letters"
	p := start(t, env)
	ctx := browse(t, chromedp.Flag("host-resolver-rules", "MAP gistdeal.test 127.0.0.1"))
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	do(t, ctx, p,
		chromedp.Navigate("http://gistdeal.test:"+port+"/"),
		chromedp.SendKeys("#token", "wrong"+kb.Enter),
		chromedp.WaitVisible(`#token[aria-invalid="true"]`),
		chromedp.SendKeys("#token", env["GISTDEAL_ADMIN_TOKEN"]+kb.Enter),
		chromedp.WaitVisible("#leave"),
		chromedp.WaitVisible("#choices"),
		chromedp.Click("#leave"),
		chromedp.WaitVisible("#token"))
}

func TestThePageRemovesTheUserThatLostItsLoginAndNotTheNewOwner(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	first := fmt.Sprintf("id:%d", s.AddUser(sim.User{Login: "alice"}))
	s.MakeGists("alice", 1)
	p := start(t, env)
	p.user("alice")
	s.DeleteUser("alice")
	s.MakeGists("alice", 1)
	wantRun(t, env, 1, "not found on GitHub", "scan", "alice")
	p.user("alice")
	ctx := browse(t)
	link := fmt.Sprintf(`#users a[href="#/users/%s"]`, strings.Replace(first, ":", "%3A", 1))
	do(t, ctx, p,
		open(p, "users"), chromedp.Click(link),
		chromedp.Click(`[data-act="remove"]`),
		chromedp.WaitVisible(`dialog[open]`), chromedp.Click(`dialog[open] button.danger`),
		chromedp.WaitVisible(`#users a[href="#/users/alice"]`), chromedp.WaitNotPresent(link))
	wantRun(t, env, 0, "active", "users", "list")
}
