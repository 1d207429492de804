package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestThePageShowsTheProgressAndResultOfAScan(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 150)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "activity"), chromedp.WaitVisible(".empty"))
	if got := text(t, ctx, ".empty"); !strings.Contains(got, "Add users") {
		t.Errorf("without activity the page shows %q, want a hint", got)
	}
	// The second page of gists is slow, so that the running scan is visible.
	s.AddFault(sim.Fault{Match: "GET /user/", Kind: "latency", Latency: 20 * time.Second, Times: 1})
	eval[any](t, ctx, `(() => { fetch('user/alice'); return null; })()`)
	waitFor(t, ctx, `document.querySelector('#in-progress li[data-run="scan"] progress')`)
	if got := text(t, ctx, "#in-progress"); !strings.Contains(got, "alice") || !strings.Contains(got, "page") {
		t.Errorf("the page shows the running scan as %q", got)
	}
	waitFor(t, ctx, `document.querySelector('#runs li[data-run="scan"][data-state="created"]')`)
	if got := text(t, ctx, `#runs li[data-run="scan"]`); !strings.Contains(got, "150 new gists") || !strings.Contains(got, "2 pages") {
		t.Errorf("the page shows the ended scan as %q", got)
	}
	click(t, ctx, `.chips a[data-only="push"]`)
	waitFor(t, ctx, `!document.querySelector('#runs li[data-run="scan"]') && document.querySelector('#runs li[data-run="push"], #in-progress li[data-run="push"]')`)
}

func TestEachAPIRouteIsInTheReferencePage(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	var doc struct {
		Paths map[string]map[string]struct{ Summary string }
	}
	_, body := p.get("/api/v1/openapi.json")
	if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc.Paths) == 0 {
		t.Fatalf("%d paths, %v", len(doc.Paths), err)
	}
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url), chromedp.WaitVisible("#choices"),
		chromedp.Click("#help"))
	click(t, ctx, `dialog[open] a[href="#/api"]`)
	click(t, ctx, "#open-all")
	for path, methods := range doc.Paths {
		for method, o := range methods {
			if got := text(t, ctx, fmt.Sprintf(`[data-operation="%s %s"]`, method, path)); !strings.Contains(got, o.Summary) || !strings.Contains(got, "Response 20") {
				t.Errorf("%s %s is shown as %q", method, path, got)
			}
		}
	}
	if got := text(t, ctx, `[data-operation="get /api/v1/runs"]`); !strings.Contains(got, `kind: "scan" | "sweep" | "push"`) {
		t.Errorf("the kinds of runs are missing in %q", got)
	}
}

func TestTheFirstVisitShowsChecksAndSettingsCanBeChanged(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "77"
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url),
		chromedp.WaitVisible(`.checks [data-check="Pipedrive"][data-tone="good"]`),
		chromedp.WaitVisible(`.checks [data-check="GitHub"][data-tone="good"]`),
		open(p, "settings"),
		chromedp.WaitVisible(`[data-setting="approval_threshold"] .badge`))
	if got := text(t, ctx, `[data-setting="approval_threshold"]`); !strings.Contains(got, "GISTDEAL_APPROVAL_THRESHOLD") || !strings.Contains(got, "77") {
		t.Errorf("the page shows a locked setting as %q", got)
	}
	eval[any](t, ctx, `document.querySelector('#set-backfill').value = 'none'; null`)
	do(t, ctx, p, chromedp.Click("#save"))
	testenv.Eventually(t, "the setting is saved", func() bool {
		_, body := p.get("/api/v1/settings")
		return strings.Contains(body, `"name":"backfill","value":"none"`)
	}, p.out)
}

func TestThePageShowsWhatTheKeyMayNotDo(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5, Regular: true})
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p,
		chromedp.Navigate(p.url),
		chromedp.WaitVisible(`.checks [data-check="Pipedrive"][data-tone="warn"]`))
	if got := text(t, ctx, `[data-check="Pipedrive"]`); !strings.Contains(got, `Create field "Gist ID"`) {
		t.Errorf("the page shows the missing field as %q", got)
	}
	waitForText(t, ctx, ".status", "Pipedrive does not allow deals") // It accepts the key.
	s.AddField("Gist ID", "varchar")
	testenv.Eventually(t, "the warnings are known", func() bool {
		_, body := p.get("/api/v1/account")
		return strings.Contains(body, "new deals have no")
	}, p.out)
	do(t, ctx, p, open(p, "settings"), chromedp.WaitVisible(`[data-check="Account"][data-tone="warn"]`))
	if got := text(t, ctx, `.checks`); !strings.Contains(got, "New deals have no Gist author") || !strings.Contains(got, "cannot promise exactly one") {
		t.Errorf("the page shows the warnings as %q", got)
	}
}
