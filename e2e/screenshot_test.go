package e2e_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"gistdeal/internal/testing/testenv"

	"github.com/chromedp/chromedp"
)

var screenshot = flag.String("screenshot", "", "write a picture of the demo's overview to this file")

func TestTheOverviewOfTheDemoCounts48Deals(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"GISTDEAL_ADDR": "127.0.0.1:0", "GISTDEAL_LOG": "json"}, "demo")
	testenv.Eventually(t, "48 deals", func() bool {
		_, body := p.get("/api/v1/overview")
		return strings.Contains(body, `"created":48`)
	})
	ctx := browse(t)
	scheme(t, ctx, "light")
	do(t, ctx, p, chromedp.EmulateViewport(1200, 900), open(p, ""), chromedp.WaitVisible(".numbers"), chromedp.WaitVisible(".quotas"))
	waitFor(t, ctx, `document.querySelector('.numbers').textContent.includes('48')`)
	if *screenshot == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(*screenshot, picture, 0o600))
}
