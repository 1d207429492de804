package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
)

func TestAWebhookIsAddedTestedDisabledAndDeletedOnThePage(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_WEBHOOK_PRIVATE"] = "true"
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "refuses") {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(receiver.Close)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "webhooks"), chromedp.WaitVisible("#webhook-name"))
	do(t, ctx, p, chromedp.SendKeys("#webhook-name", "n8n"), chromedp.SendKeys("#webhook-url", receiver.URL+"/secret-path?token=secret-token"))
	click(t, ctx, "#add-webhook")
	waitFor(t, ctx, `document.querySelector('#webhook-secret')?.textContent.startsWith('whsec_')`)
	click(t, ctx, "dialog .dialog-head button")
	waitFor(t, ctx, `document.querySelector('[data-webhook="n8n"]') && !document.querySelector('dialog')`)
	if body := text(t, ctx, "body"); strings.Contains(body, "whsec_") || strings.Contains(body, "secret-token") {
		t.Errorf("the page shows a secret: %s", body)
	}
	eval[bool](t, ctx, `(() => { const kind = document.querySelector('#webhook-kind'); kind.value = 'slack'; return kind.dispatchEvent(new Event('change')); })()`)
	do(t, ctx, p, chromedp.WaitVisible("#webhook-quiet"), chromedp.SendKeys("#webhook-name", "sales"), chromedp.SendKeys("#webhook-url", receiver.URL+"/refuses"), chromedp.SendKeys("#webhook-quiet", "20:00-07:30"))
	click(t, ctx, "#add-webhook")
	waitForText(t, ctx, `[data-webhook="sales"]`, "not 20:00-07:30")
	click(t, ctx, `[data-webhook="n8n"] [data-act="test"]`)
	waitForText(t, ctx, "#toasts", "Accepted with status 200")
	click(t, ctx, `[data-webhook="sales"] [data-act="test"]`)
	waitForText(t, ctx, "#toasts", "Not accepted: the answer 403 Forbidden")
	click(t, ctx, `[data-webhook="sales"] [data-act="messages"]`)
	waitForText(t, ctx, "#deliveries", "webhook.test")
	click(t, ctx, "dialog .dialog-head button")
	click(t, ctx, `[data-webhook="n8n"] [data-act="toggle"]`)
	waitForText(t, ctx, `[data-webhook="n8n"]`, "Disabled")
	accessible(t, ctx, "webhooks")
	click(t, ctx, `[data-webhook="n8n"] [data-act="delete"]`)
	click(t, ctx, "dialog button.danger")
	waitFor(t, ctx, `!document.querySelector('[data-webhook="n8n"]') && document.querySelector('[data-webhook="sales"]')`)
}
