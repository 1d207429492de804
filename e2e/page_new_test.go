package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestNewGistsAreReadByKeyboardAndStayRead(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	logins := []string{"alice", "bob"}
	for _, login := range logins {
		s.MakeGists(login, 2)
	}
	p := start(t, env)
	for _, login := range logins {
		p.user(login)
		s.AddGist(login, sim.Gist{ID: "new-of-" + login, Description: "fresh"})
		resp, err := http.Post(p.url+"/api/v1/users/"+login+"/scan", "application/json", nil)
		testenv.Must(t, err)
		testenv.Must(t, resp.Body.Close())
		testenv.Eventually(t, "the gist is noticed", func() bool { _, body := p.get("/api/v1/gists"); return strings.Contains(body, "new-of-"+login) }, p.out)
	}
	ctx := browse(t)
	shown := func() string {
		return eval[string](t, ctx, `[...document.querySelectorAll('#view li[data-gist]')].map((row) => row.dataset.gist + (row.querySelector('.new') ? '!' : '')).join(' ')`)
	}
	want := func(gists string) {
		t.Helper()
		testenv.Eventually(t, gists, func() bool { return shown() == gists }, dump(shown))
	}
	do(t, ctx, p, open(p, "new"), chromedp.WaitVisible("li[data-gist]"))
	want("new-of-bob! new-of-alice!")
	waitForText(t, ctx, "#view h2", "Today")
	accessible(t, ctx, "new gists")
	do(t, ctx, p, chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"), chromedp.KeyEvent("m"))
	want("new-of-bob new-of-alice!")
	do(t, ctx, p, chromedp.Navigate("about:blank"), open(p, "new"), chromedp.WaitVisible("li[data-gist]"))
	want("new-of-alice!")
	click(t, ctx, "#mark-all")
	want("new-of-alice")
	// The figure of today leads to the gists of today, also those that were seen.
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible("a.today"))
	waitForText(t, ctx, ".funnel", "Gists noticed")
	click(t, ctx, "a.today")
	want("new-of-bob new-of-alice")
}
