package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAxeFindsNothingWhileDealsAwaitApprovalAndTheQuestionIsOpen(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	const login = "alice-with-a-login-of-39-letters-really"
	s.MakeGists(login, 60)
	s.AddGist(login, sim.Gist{Description: "قائمة المهام " + strings.Repeat("طويلة", 30)}) // right to left
	env["GISTDEAL_APPROVAL_THRESHOLD"] = "10"
	p := start(t, env)
	p.user(login)
	ctx := browse(t)
	for view, there := range map[string]string{"": ".attention-list", "users": "tr[data-login]", "deals?state=awaiting_approval": "#deals li", "users/" + login: `[data-act="approve"]`} {
		do(t, ctx, p, chromedp.EmulateViewport(1280, 800), open(p, view), chromedp.WaitVisible(there))
		accessible(t, ctx, "#/"+view+" with held deals")
		for _, width := range []int64{360, 640} { // A phone, and 1,280 pixels at 200 %.
			do(t, ctx, p, chromedp.EmulateViewport(width, 800))
			if over := eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("#/%s, width %d: %d pixels are outside the screen", view, width, over)
			}
		}
	}
	do(t, ctx, p, open(p, "users/"+login))
	click(t, ctx, `[data-act="approve"]`)
	do(t, ctx, p, chromedp.WaitVisible("dialog[open] #cost"))
	accessible(t, ctx, "the question before many deals")
	if got := text(t, ctx, "dialog[open]"); !strings.Contains(got, "Approve 61 deals?") {
		t.Errorf("the question is %q", got)
	}
}

func TestNothingMovesWithReducedMotion(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	p := start(t, env)
	ctx := browse(t)
	// The sign of loading is the one thing that moves.
	const moving = `(() => {
		const sign = document.createElement('div');
		sign.className = 'loading';
		sign.append(document.createElement('i'));
		document.body.append(sign);
		const n = document.getAnimations().length;
		sign.remove();
		return n;
	})()`
	do(t, ctx, p, open(p, "users"), chromedp.WaitVisible("#view h1"), chromedp.WaitNotPresent("#view .loading"))
	for preference, want := range map[string]int{"no-preference": 1, "reduce": 0} {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: preference}},
		})
		testenv.Must(t, err)
		if n := eval[int](t, ctx, moving); n != want {
			t.Errorf("%s: %d things move, want %d", preference, n, want)
		}
	}
}

// A screen reader follows the accessibility tree: the way past the navigation first, then the
// navigation, the title, and the status before everything else of the overview.
func TestAScreenReaderMeetsThePartsOfTheOverviewInOrder(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 2)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 2)
	ctx := browse(t)
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible(".flow .funnel"))
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	testenv.Must(t, err)
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range tree.Nodes {
		byID[n.NodeID] = n
	}
	var said []string
	var walk func(n *accessibility.Node)
	walk = func(n *accessibility.Node) {
		if n == nil {
			return
		}
		if name := valueOf(n.Name); !n.Ignored && name != "" {
			said = append(said, valueOf(n.Role)+" "+name)
		}
		for _, id := range n.ChildIDs {
			walk(byID[id])
		}
	}
	walk(tree.Nodes[0])
	at := -1
	for _, want := range []string{
		"button Skip to content", "navigation Views", "heading Overview", "StaticText All systems running", "heading Needs attention", "heading Gists and deals per day", "heading From gist to deal", "heading Remaining quota", "heading Latest activity",
	} {
		i := slices.Index(said, want)
		if i < 0 || i < at {
			t.Fatalf("%q is at %d, want it after %d:\n%s", want, i, at, strings.Join(said, "\n"))
		}
		at = i
	}
}

func valueOf(v *accessibility.Value) (text string) {
	if v == nil || json.Unmarshal(v.Value, &text) != nil {
		return ""
	}
	return text
}

// roundTrips is the largest number of requests that waited for one another.
const roundTrips = `(() => {
	const [page] = performance.getEntriesByType('navigation');
	const all = [page, ...performance.getEntriesByType('resource')].filter((e) => e.transferSize > 0 && e.responseEnd > 0);
	let n = 0, end = -1;
	for (const e of all.sort((a, b) => a.responseEnd - b.responseEnd)) {
		if (e.startTime < end) continue;
		n += 1;
		end = e.responseEnd;
	}
	return n;
})()`

func TestAWarmVisitShowsTheOverviewAfterThreeRoundTrips(t *testing.T) {
	t.Parallel()
	s, env := simulate(t, sim.Options{Seed: 5})
	s.MakeGists("alice", 2)
	p := start(t, env)
	p.user("alice")
	waitForDeals(t, p, "alice", 2)
	ctx := browse(t)
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible(".numbers .stat"), chromedp.Navigate("about:blank"))
	_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 250, DownloadThroughput: -1, UploadThroughput: -1}},
	})
	testenv.Must(t, err)
	do(t, ctx, p, open(p, ""), chromedp.WaitVisible(".numbers .stat"))
	if n := eval[int](t, ctx, roundTrips); n < 2 || n > 3 {
		t.Errorf("%d requests waited for one another, want the page, the caller and the overview: at most 3", n)
	}
}
