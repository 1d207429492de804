package app_test

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
)

// axe returns the checker of accessibility, a script.
func axe(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/axe/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	script, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// findings makes axe check the page; the answer names each finding and where.
const findings = `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
	.then(({violations}) => violations.map((v) => v.id + ' at ' + v.nodes.map((n) => n.target).join(', ')).join('; '))`

func TestEachViewFitsANarrowScreenInBothThemesAndAxeFindsNothing(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	const login = "alice-with-a-login-of-39-letters-really"
	s.MakeGists(login, 12)
	s.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Every: 3})
	p := start(t, env)
	p.user(login)
	ctx := browse(t)
	script := axe(t)
	grounds := map[string]bool{}
	for theme, width := range map[string]int64{"light": 1280, "dark": 320} {
		scheme(t, ctx, theme)
		do(t, ctx, p, chromedp.EmulateViewport(width, 800))
		for view, there := range map[string]string{
			"": ".meter", "users": "tr[data-login]", "users/" + login: `li[data-state="failed"]`, "deals": "li[data-gist]",
			"failures": ".cause", "limits": ".meter", "add": "#logins", "users/nobody-here": "#track",
		} {
			do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, view), chromedp.WaitVisible(there))
			name := fmt.Sprintf("#/%s, %s, %d wide", view, theme, width)
			if over := ask[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s: %d pixels lie beside the screen", name, over)
			}
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](script+";null")); err != nil {
				t.Fatal(err)
			}
			if found := ask[string](t, ctx, findings); found != "" {
				t.Errorf("%s: %s", name, found)
			}
		}
		grounds[ask[string](t, ctx, `getComputedStyle(document.body).backgroundColor`)] = true
	}
	if len(grounds) != 2 {
		t.Errorf("both themes have the ground %v", grounds)
	}
}

// scheme makes the browser's reader prefer light or dark.
func scheme(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
