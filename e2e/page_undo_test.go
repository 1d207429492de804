package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// post sends a POST request with a JSON body and expects success.
func (p *process) post(path, body string) {
	p.t.Helper()
	resp, err := http.Post(p.url+path, "application/json", strings.NewReader(body)) //nolint:noctx // The program is killed at the end of the test.
	testenv.Must(p.t, err)
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		p.t.Fatalf("POST %s: status %d", path, resp.StatusCode)
	}
}

// answers waits until an address answers with a text in it.
func (p *process) answers(path, want string) {
	p.t.Helper()
	testenv.Eventually(p.t, path+" answers "+want, func() bool { _, body := p.get(path); return strings.Contains(body, want) }, p.out)
}

const undo = `#toasts [data-act="undo"]`

// undone clicks Undo, and waits until the page tells of it.
func undone(t *testing.T, ctx context.Context, want string) {
	t.Helper()
	click(t, ctx, undo)
	waitForText(t, ctx, "#toasts", want)
	waitFor(t, ctx, `!document.querySelector('`+undo+`')`)
}

func TestPausesOfUsersAreUndoneByKeyboardAndWithoutHurry(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	for _, login := range []string{"alice", "bob"} {
		s.MakeGists(login, 1)
		p.user(login)
	}
	ctx := browse(t)
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible(`[data-act="pause"]`))
	// Messages that go away by themselves do so at once.
	eval[any](t, ctx, `(globalThis.setTimeout = ((real) => (run, ms, ...more) => real(run, [6000, 12000].includes(ms) ? 0 : ms, ...more))(setTimeout), null)`)
	click(t, ctx, `[data-act="pause"]`)
	waitForText(t, ctx, `#toasts[role="status"]`, "alice paused. Queued deals are still created.")
	p.answers("/api/v1/users/alice", `"state":"paused"`)
	waitFor(t, ctx, `document.activeElement.matches('[data-act="resume"]')`)
	accessible(t, ctx, "a message with Undo")
	do(t, ctx, p, chromedp.KeyEvent("z"))
	p.answers("/api/v1/users/alice", `"state":"active"`)
	waitFor(t, ctx, `document.querySelector('[data-act="pause"]') && !document.querySelector('`+undo+`')`)

	// The message is reached by Tab, and the focus returns to its place.
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible(`tr[data-login="bob"]`), chromedp.Click("thead input"), chromedp.Click(`[data-bulk="pause"]`))
	waitForText(t, ctx, "#toasts", "2 users paused")
	waitFor(t, ctx, `document.activeElement.id === 'search'`)
	eval[any](t, ctx, `(document.querySelector('#theme').focus(), null)`)
	do(t, ctx, p, chromedp.KeyEvent(kb.Tab))
	waitFor(t, ctx, `document.activeElement.matches('`+undo+`')`)
	do(t, ctx, p, chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent(undo))
	waitFor(t, ctx, `document.activeElement.id === 'theme'`)
	p.answers("/api/v1/users?state=active", `"login":"bob"`)
	p.answers("/api/v1/users?state=paused", `"users":[]`)

	// It stays when another view is shown, and is closed without a change.
	click(t, ctx, "thead input")
	click(t, ctx, `[data-bulk="pause"]`)
	waitFor(t, ctx, `document.querySelector('`+undo+`')`)
	do(t, ctx, p, chromedp.EmulateViewport(320, 800), open(p, "deals"), chromedp.WaitVisible("#deals li"), chromedp.WaitVisible(undo))
	if over := eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("%d pixels are outside the screen", over)
	}
	click(t, ctx, `#toasts [aria-label="Close this message"]`)
	do(t, ctx, p, chromedp.WaitNotPresent(undo))
	p.answers("/api/v1/users?state=paused", `"login":"bob"`)
}

func TestSkippedDealsSeenGistsAndSettingsAreUndoneIfNothingElseFollowed(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	p.put("/api/v1/settings", `{"backfill":"none","daily_limit":7}`)
	s.MakeGists("alice", 2)
	p.user("alice")
	p.post("/api/v1/pushes/pause", `{}`)
	for _, id := range []string{"one", "two"} {
		s.AddGist("alice", sim.Gist{ID: id, Description: id})
	}
	p.post("/api/v1/users/alice/scan", `{}`)
	p.answers("/api/v1/deals/two", `"state":"queued"`)
	ctx := browse(t)
	skip := func(from string) {
		t.Helper()
		click(t, ctx, `li[data-gist="two"][data-state="`+from+`"] [data-act="skip"]`)
		do(t, ctx, p, chromedp.SendKeys("#dialog-text", "a mistake"), chromedp.Click(`dialog[open] .primary`), chromedp.WaitVisible(`li[data-gist="two"][data-state="skipped"]`))
	}
	do(t, ctx, p, open(p, "users/alice"))
	skip("queued")
	undone(t, ctx, "Deal queued again")
	p.answers("/api/v1/deals/two", `"state":"queued"`)
	// The deal is created meanwhile.
	skip("queued")
	p.post("/api/v1/deals/retry", `{"gists":["two"]}`)
	click(t, ctx, undo)
	waitForText(t, ctx, "#toasts", "the deal is not skipped any more")

	// The visit to alice saw both; a later one sees what is new after it.
	s.AddGist("alice", sim.Gist{ID: "three"})
	p.post("/api/v1/users/alice/scan", `{}`)
	p.answers("/api/v1/gists?show=new", `"id":"three"`)
	do(t, ctx, p, open(p, "new"), chromedp.WaitVisible(`li[data-gist="three"] .new`))
	click(t, ctx, "#mark-all")
	waitForText(t, ctx, "#toasts", "1 gist marked as read")
	p.answers("/api/v1/gists?show=new", `"gists":[]`)
	undone(t, ctx, "1 gist marked as unread")
	do(t, ctx, p, chromedp.WaitVisible(`li[data-gist="three"] .new`))
	p.answers("/api/v1/gists?show=new", `"id":"three"`)

	// Settings are as before, unless somebody else has changed one.
	set := func(limit string) {
		t.Helper()
		do(t, ctx, p, chromedp.WaitVisible("#set-daily_limit"), chromedp.SetValue("#set-daily_limit", limit), chromedp.Click("#save"))
		p.answers("/api/v1/settings", `"daily_limit","value":`+limit)
	}
	do(t, ctx, p, open(p, "settings"))
	set("9")
	undone(t, ctx, "The settings are as before")
	p.answers("/api/v1/settings", `"daily_limit","value":7`)
	waitFor(t, ctx, `document.querySelector('#set-daily_limit').value === '7'`)
	set("9")
	p.put("/api/v1/settings", `{"daily_limit":8}`)
	click(t, ctx, undo)
	waitForText(t, ctx, "#toasts", "a setting was changed meanwhile")
	p.answers("/api/v1/settings", `"daily_limit","value":8`)
}

func TestARemovedRuleComesBackToItsPlaceUntilTheViewIsLeft(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	p.put("/api/v1/rules", `{"rules":[{"name":"first","action":"skip","all":[{"fact":"language","value":"HCL"}]},{"name":"second","action":"skip","all":[{"fact":"language","value":"Go"}]}]}`)
	ctx := browse(t)
	names := func(want string) {
		t.Helper()
		waitFor(t, ctx, `[...document.querySelectorAll('#rules > li')].map((rule) => rule.dataset.rule).join() === '`+want+`'`)
	}
	do(t, ctx, p, open(p, "rules"))
	names("first,second,everything else")
	click(t, ctx, `[data-rule="first"] [data-act="delete"]`)
	names("second,everything else")
	waitForText(t, ctx, "#toasts", "first removed from the list, not saved yet")
	undone(t, ctx, "first is back")
	names("first,second,everything else")
	waitFor(t, ctx, `!document.querySelector('#save-rules') && document.activeElement.closest('[data-rule="first"]')`)
	click(t, ctx, `[data-rule="second"] [data-act="delete"]`)
	do(t, ctx, p, chromedp.WaitVisible(undo), open(p, "settings"), chromedp.WaitNotPresent(undo))
}
