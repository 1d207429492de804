package e2e_test

import (
	"context"
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

func TestAWebhookIsChangedRotatedAndSentToAgainOnThePage(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_WEBHOOK_PRIVATE"] = "true"
	got := make(chan http.Header, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Clone() }))
	t.Cleanup(receiver.Close)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, chromedp.EmulateViewport(375, 800), open(p, "webhooks"), chromedp.WaitVisible("#webhook-name"))
	do(t, ctx, p, chromedp.SendKeys("#webhook-name", "n8n"), chromedp.SendKeys("#webhook-url", receiver.URL))
	click(t, ctx, "#webhook-types-all")
	click(t, ctx, "#add-webhook")
	waitForText(t, ctx, "#webhook-form .wrong", "Choose at least one type of event")
	accessible(t, ctx, "the types of events of a new webhook")
	click(t, ctx, `#webhook-types [value="pushes.paused"]`)
	click(t, ctx, "#add-webhook")
	waitFor(t, ctx, `document.querySelector('#webhook-secret')`)
	secret := text(t, ctx, "#webhook-secret")
	click(t, ctx, "dialog .dialog-head button")
	waitForText(t, ctx, `[data-webhook="n8n"]`, "pushes.paused")

	click(t, ctx, `[data-webhook="n8n"] [data-act="change"]`)
	waitFor(t, ctx, `document.querySelector('#change-types [value="pushes.paused"]')?.checked`)
	accessible(t, ctx, "the change of a webhook")
	click(t, ctx, `#change-types [value="pushes.resumed"]`)
	click(t, ctx, "#save-webhook")
	waitForText(t, ctx, `[data-webhook="n8n"]`, "pushes.paused, pushes.resumed")

	click(t, ctx, `[data-webhook="n8n"] [data-act="rotate"]`)
	waitFor(t, ctx, `document.querySelector('#overlap')`)
	accessible(t, ctx, "the rotation of a secret")
	eval[any](t, ctx, `document.querySelector('#overlap').value = '7d'; null`)
	click(t, ctx, `dialog button[value="yes"]`)
	waitFor(t, ctx, `document.querySelector('#webhook-secret')?.textContent.startsWith('whsec_')`)
	if rotated := text(t, ctx, "#webhook-secret"); rotated == secret {
		t.Error("the rotated secret is the old one")
	}
	click(t, ctx, "dialog .dialog-head button")
	waitForText(t, ctx, `[data-webhook="n8n"]`, "the old secret ends in")

	run(t, env, "pause")
	first := <-got
	if signatures := strings.Fields(first.Get("Webhook-Signature")); len(signatures) != 2 {
		t.Errorf("during the overlap a message has the signatures %v, want two", signatures)
	}
	for _, again := range []string{"[data-again]", "#redeliver-range", "#redeliver-failed"} {
		waitForDelivered(t, ctx)
		if again == "#redeliver-range" {
			do(t, ctx, p, chromedp.SendKeys("#redeliver-first", "1"))
		}
		click(t, ctx, again)
		if again == "#redeliver-failed" {
			waitForText(t, ctx, "#toasts", "No messages will be sent again")
			continue
		}
		waitForText(t, ctx, "#toasts", "1 message will be sent again")
		if id := (<-got).Get("Webhook-Id"); id != first.Get("Webhook-Id") {
			t.Errorf("%s sent the message %s, want %s", again, id, first.Get("Webhook-Id"))
		}
	}
	accessible(t, ctx, "the messages to a webhook")
	if wide := eval[int](t, ctx, `document.documentElement.scrollWidth`); wide > 375 {
		t.Errorf("the view is %d pixels wide on a screen of 375", wide)
	}
}

// waitForDelivered opens the messages to the webhook n8n until the only one is delivered.
func waitForDelivered(t *testing.T, ctx context.Context) {
	t.Helper()
	waitFor(t, ctx, `(() => {
		if (document.querySelector('#deliveries [data-again]')) return true;
		document.querySelector('dialog .dialog-head button')?.click();
		document.querySelector('[data-webhook="n8n"] [data-act="messages"]').click();
		return false;
	})()`)
}

func TestAWebhookForPeopleIsAddedAndChangedWithItsTimesOnThePage(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "webhooks"), chromedp.WaitVisible("#webhook-name"))
	eval[bool](t, ctx, `(() => { const kind = document.querySelector('#webhook-kind'); kind.value = 'slack'; return kind.dispatchEvent(new Event('change')); })()`)
	click(t, ctx, "#webhook-types-all")
	if eval[bool](t, ctx, `document.querySelector('#webhook-types [value="deal.created"]').checkVisibility()`) {
		t.Error("the page offers people a type that no message to them tells of")
	}
	click(t, ctx, `#webhook-types [value="deal.failed"]`)
	eval[any](t, ctx, `document.querySelector('#webhook-digest').value = 'daily'; document.querySelector('#webhook-zone').value = ''; null`)
	do(t, ctx, p, chromedp.SendKeys("#webhook-name", "sales"), chromedp.SendKeys("#webhook-url", "https://hooks.example/x"),
		chromedp.SendKeys("#webhook-quiet", "20:00-07:30"), chromedp.SendKeys("#webhook-zone", "Europe/Berlin"))
	click(t, ctx, `#webhook-form [data-act="preview"]`)
	waitForText(t, ctx, "#preview", "1 deal failed: ")
	if shown := text(t, ctx, "#preview"); strings.Contains(shown, "gist.noticed") {
		t.Errorf("the preview has texts that were not chosen: %s", shown)
	}
	accessible(t, ctx, "the preview of texts")
	click(t, ctx, "dialog .dialog-head button")
	click(t, ctx, "#add-webhook")
	waitForText(t, ctx, `[data-webhook="sales"]`, "Once a day, at 8 in the morning, not 20:00-07:30 (Europe/Berlin)")
	waitForText(t, ctx, `[data-webhook="sales"]`, "deal.failed")
	if eval[bool](t, ctx, `!!document.querySelector('[data-webhook="sales"] [data-act="rotate"]')`) {
		t.Error("a webhook for people has no secret to rotate")
	}
	click(t, ctx, `[data-webhook="sales"] [data-act="change"]`)
	waitFor(t, ctx, `document.querySelector('#change-zone')?.value === 'Europe/Berlin'`)
	accessible(t, ctx, "the change of a webhook for people")
	click(t, ctx, "#change-types-all")
	eval[any](t, ctx, `document.querySelector('#change-digest').value = 'hourly'; document.querySelector('#change-quiet').value = ''; null`)
	click(t, ctx, "#save-webhook")
	waitForText(t, ctx, `[data-webhook="sales"]`, "all events")
	waitForText(t, ctx, `[data-webhook="sales"]`, "Once an hour")
}

func TestAWebhookHasAUserAndHeadersOnThePageWithoutTheirValues(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_WEBHOOK_PRIVATE"] = "true"
	s.AddUser(sim.User{Login: "ann"})
	got := make(chan http.Header, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Clone() }))
	t.Cleanup(receiver.Close)
	p := start(t, env)
	run(t, env, "users", "add", "ann")
	ctx := browse(t)
	do(t, ctx, p, chromedp.EmulateViewport(375, 800), open(p, "webhooks"), chromedp.WaitVisible("#webhook-name"))
	do(t, ctx, p, chromedp.SendKeys("#webhook-name", "n8n"), chromedp.SendKeys("#webhook-url", receiver.URL), chromedp.SendKeys("#webhook-user", "nobody"),
		chromedp.SendKeys("#webhook-headers", "X-Key secret-key"))
	click(t, ctx, "#add-webhook")
	waitForText(t, ctx, "#webhook-form .wrong", "Line 1 of the headers is no header, want Name: value")
	eval[any](t, ctx, `document.querySelector('#webhook-headers').value = 'X-Key: secret-key\nX-Team:sales'; null`)
	click(t, ctx, "#add-webhook")
	waitForText(t, ctx, "#webhook-form .wrong", "nobody")
	accessible(t, ctx, "the fields of a webhook")
	eval[any](t, ctx, `document.querySelector('#webhook-user').value = 'ann'; null`)
	click(t, ctx, "#add-webhook")
	waitFor(t, ctx, `document.querySelector('#webhook-secret')`)
	click(t, ctx, "dialog .dialog-head button")
	waitForText(t, ctx, `[data-webhook="n8n"]`, "all events of ann")
	waitForText(t, ctx, `[data-webhook="n8n"]`, "with X-Key, X-Team")
	sent := func() http.Header {
		click(t, ctx, `[data-webhook="n8n"] [data-act="test"]`)
		return <-got
	}
	if h := sent(); h.Get("X-Key") != "secret-key" || h.Get("X-Team") != "sales" {
		t.Errorf("the headers of a message are %v", h)
	}

	change := func(fill string) {
		t.Helper()
		click(t, ctx, `[data-webhook="n8n"] [data-act="change"]`)
		waitForText(t, ctx, "#change-headers-hint", "It has X-Key")
		if shown := eval[string](t, ctx, `document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map((field) => field.value)`); strings.Contains(shown, "secret-key") {
			t.Error("the page has the value of a header")
		}
		eval[any](t, ctx, fill+`; null`)
		click(t, ctx, "#save-webhook")
		waitFor(t, ctx, `!document.querySelector('dialog')`)
	}
	change(`document.querySelector('#change-user').value = ''`)
	waitForText(t, ctx, `[data-webhook="n8n"]`, "with X-Key, X-Team")
	if shown := text(t, ctx, `[data-webhook="n8n"]`); strings.Contains(shown, "of ann") {
		t.Errorf("the webhook still gets the events of one user: %s", shown)
	}
	change(`document.querySelector('#change-headers').value = 'X-Key: other'`)
	if h := sent(); h.Get("X-Key") != "other" || h.Get("X-Team") != "" {
		t.Errorf("after the change the headers of a message are %v", h)
	}
	change(`document.querySelector('#change-no-headers').click()`)
	waitFor(t, ctx, `!document.querySelector('[data-webhook="n8n"]').textContent.includes('X-Key')`)
	if wide := eval[int](t, ctx, `document.documentElement.scrollWidth`); wide > 375 {
		t.Errorf("the view is %d pixels wide on a screen of 375", wide)
	}
}
