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

// One server and one browser: each step begins where the one before ended.
func TestManyDealsAreAskedForAndFailuresAreRetriedOneAfterAnother(t *testing.T) {
	t.Parallel()
	s, url := testenv.Simulate(t, sim.Options{Seed: 5})
	env := environment(t, url)
	delete(env, "GISTDEAL_PIPEDRIVE_RATE") // With a quota, so that the page has a share to show.
	s.MakeGists("alice", 6)
	s.MakeGists("dora", 60)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid"})
	p := start(t, env)
	p.user("alice")
	ctx := browse(t)
	accessible := func(what string) { t.Helper(); accessible(t, ctx, what) }

	do(t, ctx, p, open(p, "failures"))
	waitForText(t, ctx, ".cause", "6 deals")
	click(t, ctx, ".cause summary")
	waitFor(t, ctx, `document.querySelectorAll('.cause li[data-gist]').length === 6`)
	accessible("an open group of failures")
	s.ClearFaults()
	for i := range 5 {
		gist := eval[string](t, ctx, `(() => { const row = document.querySelector('.cause li[data-state="failed"]'); row.querySelector('[data-act="retry"]').click(); return row.dataset.gist; })()`)
		do(t, ctx, p, chromedp.WaitVisible(`.cause li[data-gist="`+gist+`"][data-state="created"] a.number`))
		if got := eval[int](t, ctx, `document.querySelectorAll('.cause li[data-gist]').length`); got != 6 {
			t.Fatalf("after retry %d the group shows %d deals, want all 6", i+1, got)
		}
	}
	waitForText(t, ctx, ".cause", "1 deal")
	waitForText(t, ctx, "#failed", "1")
	if got := s.Report().Deals; got != 5 {
		t.Errorf("%d deals after five retries", got)
	}

	// The list of deals knows a user and a state.
	do(t, ctx, p, open(p, "deals?state=failed&user=alice"), chromedp.WaitVisible(`#deals li[data-state="failed"]`))
	if got := eval[int](t, ctx, `document.querySelectorAll('#deals li').length`); got != 1 {
		t.Errorf("%d failed deals of alice are listed, want 1", got)
	}
	do(t, ctx, p, chromedp.SendKeys("#deal-search", "no such title"))
	waitForText(t, ctx, "#view", "No deals match")
	// A rule is a part of the address, also one that is gone.
	do(t, ctx, p, open(p, "deals?rule=gone"), chromedp.WaitVisible("#deal-rule"))
	waitForText(t, ctx, "#view", "No deals match")
	if got := eval[string](t, ctx, `document.querySelector('#deal-rule').value + ' ' + document.querySelectorAll('#deals li').length`); got != "gone 0" {
		t.Errorf("the list by a rule that is gone has %q", got)
	}
	eval[any](t, ctx, `(() => { const rule = document.querySelector('#deal-rule'); rule.value = ''; rule.onchange(); })()`)
	waitFor(t, ctx, `location.hash === '#/deals' && document.querySelectorAll('#deals li').length === 6`)
	// A number of Pipedrive leads to its deal, and the file has the same list.
	deal := s.Report().Deals
	do(t, ctx, p, open(p, fmt.Sprintf("deals?search=%d", deal)))
	waitFor(t, ctx, fmt.Sprintf(`[...document.querySelectorAll('#deals a.number')].some((one) => one.textContent === '#%d')`, deal))
	if got := eval[string](t, ctx, `fetch(document.querySelector('#download').href).then((answer) => answer.text())`); !strings.Contains(got, "alice") {
		t.Errorf("the file has %q", got)
	}

	// Tracking somebody with 60 gists shows the cost, and begins only after a yes.
	track := func() {
		do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, ""), chromedp.WaitVisible("#login"))
		waitForText(t, ctx, "#login-hint", "now and in future")
		do(t, ctx, p, chromedp.SendKeys("#login", "dora"+kb.Enter), chromedp.WaitVisible("dialog[open] #cost"))
	}
	track()
	if got := text(t, ctx, "dialog"); !strings.Contains(got, "Track dora?") || !strings.Contains(got, "60 deals, about") || !strings.Contains(got, "of a day’s Pipedrive quota") {
		t.Errorf("the dialog shows %q", got)
	}
	accessible("the dialog with a cost")
	do(t, ctx, p, chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("dialog"))
	if _, body := p.get("/trackedusers"); strings.Contains(body, "dora") {
		t.Errorf("%s are tracked after a no", body)
	}
	track()
	click(t, ctx, `dialog[open] button[value="yes"]`)
	waitFor(t, ctx, `location.hash === '#/users/dora'`)

	// The palette leads to a user by keyboard alone.
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible("#login"), chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.WaitVisible("#palette"))
	accessible("the palette")
	do(t, ctx, p, chromedp.SendKeys("#palette", "ALI"))
	waitForText(t, ctx, `.palette [aria-selected="true"]`, "alice")
	do(t, ctx, p, chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent("dialog"))
	waitFor(t, ctx, `location.hash === '#/users/alice'`)
	testenv.Eventually(t, "dora is tracked", func() bool { _, body := p.get("/trackedusers"); return strings.Contains(body, "dora") }, p.out)
}
