package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
)

// One server and one browser: each step begins where the one before ended.
func TestThePageClaimsOnlyWhatItKnows(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	ctx := browse(t)
	has := func(selector string, words ...string) {
		t.Helper()
		for _, word := range words {
			waitForText(t, ctx, selector, word)
		}
	}
	do(t, ctx, p, open(p, ""))
	has(".status", "All systems running")

	// A pause is one click away, and every view tells of it.
	click(t, ctx, `[data-act="pause-pushes"]`)
	waitFor(t, ctx, `document.querySelector('dialog[open]')`)
	accessible(t, ctx, "the dialog of a pause")
	click(t, ctx, "#pause-scans")
	eval[any](t, ctx, `document.querySelector('#dialog-text').value = 'new pipeline'; null`)
	click(t, ctx, `dialog[open] .primary`)
	has(".status", "Paused", "Scans are paused")
	for view, there := range map[string]string{"users": "tr[data-login]", "activity": "#runs li", "failures": ".empty", "settings": "#token-name", "deals": "#deals li"} {
		do(t, ctx, p, open(p, view), chromedp.WaitVisible(there))
		has("#paused", "Deals and scans are paused", "new pipeline")
		waitFor(t, ctx, `document.querySelector('#paused time').textContent`) // since when
	}
	accessible(t, ctx, "a pause")
	click(t, ctx, `[data-act="resume-pushes"]`)
	waitFor(t, ctx, `!document.querySelector('#paused').textContent`)

	// Failures are summed up in the status and beside their view.
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid"})
	s.MakeGists("bob", 2)
	p.user("bob")
	do(t, ctx, p, open(p, ""))
	has(".status", "Running, but 2 deals failed")
	has("#failed", "2")
	accessible(t, ctx, "the overview with failures")

	// Without the server nothing is known, in no view.
	do(t, ctx, p, chromedp.WaitVisible(`#live[data-on="true"]`))
	p.signal(9)
	has(".status", "Status unknown")
	has("#live", "Out of date")
	has("#stale", "Can’t reach gistdeal", "as of")
	if got := text(t, ctx, ".status"); strings.Contains(got, "Running") {
		t.Errorf("without a server the page shows %q", got)
	}
	accessible(t, ctx, "the overview without a server")
	eval[any](t, ctx, `location.hash = '#/users'; null`)
	has("#view", "Can’t reach gistdeal")
	has("#stale", "as of")
	accessible(t, ctx, "an error")
	s.Set(func(o *sim.Options) { o.Token = "another" })
	env["GISTDEAL_ADDR"] = strings.TrimPrefix(p.url, "http://")
	p = start(t, env)
	do(t, ctx, p, chromedp.WaitVisible(`#live[data-on="true"]`), chromedp.WaitNotVisible("#stale"))

	// A refused key is red, and the page names the remedy.
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible(`.status [data-tone="bad"]`))
	has(".status", "Pipedrive rejected the API key", "PIPEDRIVE_API_KEY")
	accessible(t, ctx, "a refused key")
}

// waitForText waits until an element has a text in it.
func waitForText(t *testing.T, ctx context.Context, selector, want string) {
	t.Helper()
	waitFor(t, ctx, fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, want))
}
