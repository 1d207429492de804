package app_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
)

func TestTheFirstRunSaysWhetherEverythingIsReadyAndASettingIsChosen(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_FIRST_SCAN_MAX"] = "77"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url),
		chromedp.WaitVisible(`.checks [data-check="Pipedrive"][data-tone="good"]`),
		chromedp.WaitVisible(`.checks [data-check="GitHub"][data-tone="good"]`),
		open(p, "settings"),
		chromedp.WaitVisible(`[data-setting="first_scan_max"] .badge`))
	if got := text(t, ctx, `[data-setting="first_scan_max"]`); !strings.Contains(got, "GISTDEAL_FIRST_SCAN_MAX") || !strings.Contains(got, "77") {
		t.Errorf("of a setting that is locked the page says %q", got)
	}
	ask[any](t, ctx, `document.querySelector('#set-first_scan').value = 'new'; null`)
	do(t, ctx, p, chromedp.Click("#save"))
	eventually(t, "the choice is kept", func() bool {
		_, body := p.get("/api/v1/settings")
		return strings.Contains(body, `"name":"first_scan","value":"new"`)
	}, p.out.String)
}
