package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// paints returns the mistakes in the drawings of the overview: a kind of bar that is
// missing, has no height or width, or has the colour of its background, or a drawing without
// its table.
const paints = `(() => {
	const wrong = [];
	for (const kind of ['.daily rect.gists', '.daily rect.backfill', '.daily rect.deals', '.delays rect.late', '.delays rect.deals', '.funnel [data-state=created] rect']) {
		const bars = [...document.querySelectorAll(kind)].filter((bar) => bar.width.baseVal.value > 0 && bar.height.baseVal.value > 0 && bar.checkVisibility() && bar.getBoundingClientRect().width > 0);
		if (!bars.length) wrong.push(kind + ' is missing');
		const fill = bars[0] && getComputedStyle(bars[0]).fill;
		if (bars[0] && [getComputedStyle(bars[0].closest('.card')).backgroundColor, 'none', 'rgba(0, 0, 0, 0)'].includes(fill)) wrong.push(kind + ' is invisible');
	}
	for (const drawing of document.querySelectorAll('.plot svg')) {
		if (!drawing.ariaLabel && !drawing.getAttribute('aria-label')) wrong.push('a drawing without a text');
		if (!drawing.closest('figure').querySelector('details table tbody tr')) wrong.push('a drawing without its table');
	}
	return wrong.join('; ');
})()`

func TestChartsAreDrawnInBothThemesAndOnPaperWithTheirTables(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 3)
	p := start(t, env)
	p.user("alice") // Its gists are a backfill.
	waitForDeals(t, p, "alice", 3)
	for range 2 { // Published after alice was tracked, which GitHub's whole seconds must not hide.
		s.AddGist("alice", sim.Gist{CreatedAt: time.Now().Add(2 * time.Second)})
	}
	wantRun(t, env, 0, "", "scan", "alice")
	waitForDeals(t, p, "alice", 5)
	ctx := browse(t)
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible(".delays .plot svg"))
	for _, media := range []string{"", "print"} {
		for _, theme := range []string{"light", "dark"} {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
			})
			testenv.Must(t, err)
			if wrong := eval[string](t, ctx, paints); wrong != "" {
				t.Errorf("%s %s: %s", media, theme, wrong)
			}
			if media == "" {
				continue
			}
			eval[any](t, ctx, `document.documentElement.dataset.theme = 'dark'; null`)
			if got := eval[string](t, ctx, `getComputedStyle(document.documentElement).colorScheme`); got != "light" {
				t.Errorf("on paper the colours are %s, want light", got)
			}
		}
	}
	eval[any](t, ctx, `document.querySelector('.delays summary').click(); null`)
	waitForText(t, ctx, ".delays tbody tr", "within")

	_, body := p.get("/api/v1/users?include=activity")
	do(t, ctx, p, chromedp.EmulateViewport(1280, 800), open(p, "users"), chromedp.WaitVisible("#users .spark path"))
	if reads := eval[int](t, ctx, `performance.getEntriesByType('resource').filter(({ name }) => /api.v1.users\?(?!.*include)/.test(name)).length`); reads != 1 {
		t.Errorf("the newest gists show after %d reads of the list, want 1", reads)
	}
	shown := eval[string](t, ctx, `document.querySelector('#users .spark + time').dateTime`)
	if !strings.Contains(body, `"created_at":"`+shown+`"`) {
		t.Errorf("the newest gist is of %q, want the one in %s", shown, body)
	}
	if got := eval[string](t, ctx, `document.querySelector('#users .spark title').textContent`); !strings.HasSuffix(got, "in the last 12 weeks, 2 gists in the last one") {
		t.Errorf("the activity of alice is %q, want 2 gists in the last week", got)
	}
}
