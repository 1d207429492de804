package e2e_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"gistdeal/internal/sim"
)

func TestATokenIsCreatedShownOnceAndRevokedOnThePage(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "settings"))
	waitFor(t, ctx, `document.querySelector('input[value="admin"]')`)
	if eval[bool](t, ctx, `!!document.querySelector('input[value="read"]')`) {
		t.Error("the first token may lack the scope admin")
	}
	eval[any](t, ctx, `document.querySelector('#token-name').value = 'me'; null`)
	click(t, ctx, "#create-token")
	waitFor(t, ctx, `document.querySelector('#new-token')`)
	if status, _ := p.get("/api/v1/users"); status != 401 {
		t.Errorf("without a token the API answers %d, want 401 once there is one", status)
	}
	do(t, ctx, p, chromedp.KeyEvent(kb.Escape), chromedp.WaitVisible("#leave"), chromedp.WaitVisible(`tr[data-token="me"]`))
	click(t, ctx, `input[value="write"]`)
	eval[any](t, ctx, `document.querySelector('#token-name').value = 'ci'; null`)
	click(t, ctx, "#create-token")
	waitFor(t, ctx, `document.querySelector('#new-token')`)
	token := eval[string](t, ctx, `document.querySelector('#new-token').value`)
	if status := p.statusWith(token, "/api/v1/users"); status != 200 {
		t.Errorf("with the new token the API answers %d", status)
	}
	accessible(t, ctx, "the dialog of a new token")
	do(t, ctx, p, chromedp.KeyEvent(kb.Escape))
	waitFor(t, ctx, `document.querySelector('tr[data-token="ci"]')`)
	if eval[bool](t, ctx, fmt.Sprintf(`document.documentElement.outerHTML.includes(%q)`, token)) {
		t.Error("the page contains the token after its dialog was closed")
	}
	click(t, ctx, `tr[data-token="ci"] [data-act="revoke"]`)
	click(t, ctx, "dialog[open] .danger")
	waitFor(t, ctx, `!document.querySelector('tr[data-token="ci"]')`)
	if status := p.statusWith(token, "/api/v1/users"); status != 401 {
		t.Errorf("with the revoked token the API answers %d, want 401", status)
	}
}

func TestATokenIsRotatedOnThePageAndTheBrowserStaysSignedIn(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	_, out := run(t, env, "tokens", "add", "--name", "me", "--scope", "admin")
	old := regexp.MustCompile(`gd_\w+`).FindString(out)
	ctx := browse(t)
	do(t, ctx, p, open(p, "settings"), chromedp.SendKeys("#token", old+kb.Enter))
	waitForText(t, ctx, "#me", "You are me, with the scope admin")
	rotate := func(overlap string) string {
		t.Helper()
		click(t, ctx, `tr[data-token="me"] [data-act="rotate"]`)
		waitFor(t, ctx, `document.querySelector('#overlap')`)
		accessible(t, ctx, "the question about a rotation")
		eval[any](t, ctx, fmt.Sprintf(`document.querySelector('#overlap').value = %q; null`, overlap))
		click(t, ctx, "dialog[open] .primary")
		waitFor(t, ctx, `document.querySelector('#new-token')`)
		value := eval[string](t, ctx, `document.querySelector('#new-token').value`)
		do(t, ctx, p, chromedp.KeyEvent(kb.Escape))
		return value
	}
	second := rotate("24h")
	waitForText(t, ctx, `tr[data-token="me"]`, "old value ends")
	for name, token := range map[string]string{"old": old, "new": second} {
		if status := p.statusWith(token, "/api/v1/users"); status != 200 {
			t.Errorf("during the overlap the %s value gets %d, want 200", name, status)
		}
	}
	third := rotate("0s")
	for token, want := range map[string]int{old: 401, second: 401, third: 200} {
		if status := p.statusWith(token, "/api/v1/users"); status != want {
			t.Errorf("after a rotation without an overlap a value gets %d, want %d", status, want)
		}
	}
	// The browser began with a value that has ended.
	do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, "settings"))
	waitForText(t, ctx, "#me", "You are me")
}

func TestAPersonIsErasedOnThePageAfterItToldWhatStays(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 3)
	ctx := browse(t)
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible(`[data-act="erase"]`), chromedp.Click(`[data-act="erase"]`))
	waitForText(t, ctx, "#erase", "3 gists, 3 deals in Pipedrive")
	for _, word := range []string{"Gist ids with deal ids", "keyed hash", "erase again after restoring"} {
		waitForText(t, ctx, "#erase-effects", word)
	}
	accessible(t, ctx, "the question about an erasure")
	do(t, ctx, p, chromedp.SendKeys("#erase-confirm", "bob"+kb.Enter))
	waitForText(t, ctx, "#erase", "Nothing was erased")
	eval[any](t, ctx, `document.querySelector('#erase-confirm').value = 'Alice'; null`)
	do(t, ctx, p, chromedp.Click("#erase-now"), chromedp.WaitVisible("#erased"))
	waitForText(t, ctx, "#erased", "3 deals remain in Pipedrive")
	accessible(t, ctx, "the result of an erasure")
	if links := eval[int](t, ctx, `document.querySelectorAll('#erased a[href*="/deal/"]').length`); links != 3 {
		t.Errorf("%d links to deals, want 3", links)
	}
	if status, _ := p.get("/api/v1/users/alice"); status != 404 {
		t.Errorf("the API answers %d about an erased user, want 404", status)
	}
	do(t, ctx, p, open(p, "erase?user=nobody-here"))
	waitForText(t, ctx, "#erase", "nothing to erase")
}

func TestTheFirstStartOffersThreeSettingsBeforeTheFirstDeal(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 2)
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "77"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible("#choices #set-stage"), chromedp.WaitNotVisible("#login"))
	waitForText(t, ctx, `#choices [data-setting="approval_threshold"]`, "Locked by GISTDEAL_APPROVAL_THRESHOLD")
	accessible(t, ctx, "the first choices")
	stage := eval[string](t, ctx, `[...document.querySelector('#set-stage').options].at(-1).value`)
	eval[any](t, ctx, fmt.Sprintf(`(() => { document.querySelector('#set-backfill').value = 'none'; document.querySelector('#set-stage').value = %q; return null; })()`, stage))
	// A second click while the first is worked off changes nothing.
	eval[any](t, ctx, `(() => { const b = document.querySelector('#choices #save'); b.click(); b.click(); return null; })()`)
	do(t, ctx, p, chromedp.WaitNotPresent("#choices:not([hidden] *)"), chromedp.WaitVisible("#login"))
	_, settings := p.get("/api/v1/settings")
	for _, want := range []string{`"name":"backfill","value":"none"`, fmt.Sprintf(`"name":"stage","value":%q`, stage)} {
		if !strings.Contains(settings, want) {
			t.Errorf("no %s in %s", want, settings)
		}
	}
	if _, body := p.get("/api/v1/audit-log?action=setting.change"); strings.Count(body, `"action":"setting.change"`) != 2 {
		t.Errorf("the audit log has %s, want each of two settings changed once", body)
	}
	// A choice that was made is not asked for again.
	do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, ""), chromedp.WaitVisible("#login"))
	if eval[bool](t, ctx, `!!document.querySelector('#choices')?.checkVisibility()`) {
		t.Error("the choices are asked for again")
	}
	do(t, ctx, p, chromedp.SendKeys("#login", "alice"), chromedp.Click("#go"), chromedp.WaitVisible(`#old-gists li, #new-gists li`))
	wantDeals(t, s, 0)
}

func TestTheURLsOfFeedsAreShownOnceOnThePageAndEndWithTheirToken(t *testing.T) {
	t.Parallel()
	receiver := &traceReceiver{t: t}
	traces := httptest.NewServer(receiver)
	t.Cleanup(traces.Close)
	_, env := simulate(t, sim.Options{Seed: 5})
	env["OTEL_EXPORTER_OTLP_ENDPOINT"] = traces.URL
	p := start(t, env)
	_, out := run(t, env, "tokens", "add", "--name", "me", "--scope", "admin")
	ctx := browse(t)
	do(t, ctx, p, open(p, "settings"), chromedp.SendKeys("#token", regexp.MustCompile(`gd_\w+`).FindString(out)+kb.Enter))
	waitFor(t, ctx, `document.querySelector('input[value="feed"]')`)
	eval[any](t, ctx, `navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }; document.querySelector('#token-name').value = 'reader'; null`)
	click(t, ctx, `input[value="feed"]`)
	click(t, ctx, "#create-token")
	waitFor(t, ctx, `document.querySelectorAll('#feeds button').length === 2`)
	accessible(t, ctx, "the dialog of the URLs of feeds")
	var paths []string
	for i := range 2 {
		click(t, ctx, fmt.Sprintf("#feeds button:nth-of-type(%d)", i+1))
		waitFor(t, ctx, `window.copied`)
		copied := eval[string](t, ctx, `(() => { const copied = window.copied; window.copied = ''; return copied; })()`)
		path, ok := strings.CutPrefix(copied, p.url)
		if !ok || !strings.Contains(path, ".atom?token=gd_") {
			t.Fatalf("the page copies %q", copied)
		}
		paths = append(paths, path)
	}
	want := func(status int, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if got, body := p.get(path); got != status {
				t.Errorf("%s answers %d, want %d: %s", path, got, status, body)
			}
		}
	}
	want(200, paths...)
	do(t, ctx, p, chromedp.KeyEvent(kb.Escape))
	waitFor(t, ctx, `document.querySelector('tr[data-token="reader"]')`)
	_, token, _ := strings.Cut(paths[0], "token=")
	if eval[bool](t, ctx, fmt.Sprintf(`document.documentElement.outerHTML.includes(%q)`, token)) {
		t.Error("the page contains the token after its dialog was closed")
	}
	_, printed := run(t, env, "tokens", "rotate", "reader", "--overlap", "1h")
	rotated := regexp.MustCompile(`/api/v1/\w+\.atom\?token=gd_\w+`).FindAllString(printed, -1)
	if len(rotated) != 2 {
		t.Fatalf("the command prints %s, want two paths", printed)
	}
	want(200, append(rotated, paths...)...)
	do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, "settings"))
	click(t, ctx, `tr[data-token="reader"] [data-act="revoke"]`)
	click(t, ctx, "dialog[open] .danger")
	waitFor(t, ctx, `!document.querySelector('tr[data-token="reader"]')`)
	want(401, append(rotated, paths...)...)
	p.signal(syscall.SIGTERM)
	if !receiver.has("GET /api/v1/gists.atom", "") {
		t.Errorf("no span of the feed in:\n%s", receiver)
	}
	for _, secret := range []string{token, strings.Split(rotated[0], "token=")[1]} {
		if strings.Contains(p.out.String(), secret) || strings.Contains(receiver.String(), secret) {
			t.Errorf("the log or a trace has the token of a feed:\n%s\n%s", p.out, receiver)
		}
	}
}
