package e2e_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// axe returns the script of the accessibility checker axe.
func axe(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/axe/axe.min.js.gz")
	testenv.Must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	testenv.Must(t, err)
	script, err := io.ReadAll(z)
	testenv.Must(t, err)
	return string(script)
}

// axeRun checks the page and returns each violation with its place.
const axeRun = `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
	.then(({violations}) => violations.map((v) => v.id + ' at ' + v.nodes.map((n) => n.target).join(', ')).join('; '))`

func TestEachViewFitsANarrowScreenInBothThemesAndAxeFindsNothing(t *testing.T) {
	t.Parallel()
	// With quotas, so that the page has some to show.
	s, url := testenv.Simulate(t, sim.Options{Seed: 5})
	env := environment(t, url)
	delete(env, "GISTDEAL_PIPEDRIVE_RATE")
	const login = "alice-with-a-login-of-39-letters-really"
	s.MakeGists(login, 12)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Every: 3})
	p := start(t, env)
	p.user(login)
	p.put("/api/v1/settings", `{"backfill":"none"}`)
	ctx := browse(t)
	do(t, ctx, p, chromedp.Navigate(p.url))
	addAxe(t, ctx)
	for view, there := range map[string]string{
		"": ".numbers", "new": "#view .empty", "users": "tr[data-login]", "users/" + login: "#old-gists li", "deals": "#deals li",
		"failures": ".cause", "activity": "#runs li", "api": ".operation", "settings": "#token-name", "audit": "#entries li", "webhooks": "#webhook-name", "erase": "#erase-login", "rules": "#add-rule", "quotas": ".quota-list .meter", "add": "#logins", "users/nobody-here": "#track",
	} {
		do(t, ctx, p, open(p, view), chromedp.WaitVisible(there))
		light := look(t, ctx, p, view, "light", 1280)
		firstRow(t, ctx, p, view)
		if dark := look(t, ctx, p, view, "dark", 320); light == dark {
			t.Errorf("#/%s: the background is %s in both themes", view, dark)
		}
	}
}

// firstRow checks on a phone that the first row of a list is in sight, and that nothing moves
// while the view is drawn.
func firstRow(t *testing.T, ctx context.Context, p *process, view string) {
	t.Helper()
	there, ok := map[string]string{"users": "tr[data-login]", "deals": "#deals li", "failures": ".cause", "activity": "#runs li"}[view]
	if !ok {
		return
	}
	do(t, ctx, p, chromedp.EmulateViewport(375, 800), chromedp.Navigate("about:blank"), open(p, view), chromedp.WaitVisible(there))
	if at := eval[float64](t, ctx, fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().y`, there)); at > 450 {
		t.Errorf("#/%s: the first row is at %v, want it above 450", view, at)
	}
	moved := eval[float64](t, ctx, `new Promise((done) => {
		let sum = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.hadRecentInput ? 0 : e.value; }).observe({type: 'layout-shift', buffered: true});
		requestAnimationFrame(() => setTimeout(() => done(sum)));
	})`)
	if moved > 0.1 {
		t.Errorf("#/%s: the layout shifts by %v, want less than 0.1", view, moved)
	}
	addAxe(t, ctx) // A new document has none.
}

// addAxe loads the accessibility checker into the page.
func addAxe(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](axe(t)+";null")); err != nil {
		t.Fatal(err)
	}
}

// accessible expects that axe finds nothing on the page as it is now.
func accessible(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	addAxe(t, ctx)
	if violations := eval[string](t, ctx, axeRun); violations != "" {
		t.Errorf("%s: %s", what, violations)
	}
}

// look checks the view in a theme at a width and returns its background colour.
func look(t *testing.T, ctx context.Context, p *process, view, theme string, width int64) string {
	t.Helper()
	scheme(t, ctx, theme)
	do(t, ctx, p, chromedp.EmulateViewport(width, 800))
	if over := eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("#/%s, %s, width %d: %d pixels are outside the screen", view, theme, width, over)
	}
	if violations := eval[string](t, ctx, axeRun); violations != "" {
		t.Errorf("#/%s, %s, width %d: %s", view, theme, width, violations)
	}
	return eval[string](t, ctx, `getComputedStyle(document.body).backgroundColor`)
}

// scheme sets the preferred colour scheme of the browser.
func scheme(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	})
	testenv.Must(t, err)
}
