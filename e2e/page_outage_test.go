package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// clockScript replaces the clock of the page: forward moves it on, runs the timers that are due
// by then, and waits for the requests that they have begun.
const clockScript = `(() => {
	const real = {Date, set: setTimeout.bind(globalThis), clear: clearTimeout.bind(globalThis), fetch: fetch.bind(globalThis)};
	let ahead = 0, last = 0;
	const timers = new Map(), requests = new Set();
	globalThis.Date = class extends real.Date {
		constructor(...args) { args.length ? super(...args) : super(real.Date.now() + ahead); }
		static now() { return real.Date.now() + ahead; }
	};
	const begin = (again, run, ms = 0, ...args) => {
		const id = ++last;
		timers.set(id, {due: Date.now() + ms, ms: again ? ms : null, run: () => run(...args), timer: real.set(() => fire(id), ms)});
		return id;
	};
	const end = (id) => { real.clear(timers.get(id)?.timer); timers.delete(id); };
	const fire = (id) => {
		const one = timers.get(id);
		if (!one) return;
		real.clear(one.timer);
		if (one.ms === null) timers.delete(id);
		else Object.assign(one, {due: Date.now() + one.ms, timer: real.set(() => fire(id), one.ms)});
		one.run();
	};
	globalThis.setTimeout = (...args) => begin(false, ...args);
	globalThis.setInterval = (...args) => begin(true, ...args);
	globalThis.clearTimeout = globalThis.clearInterval = end;
	globalThis.fetch = (...args) => {
		const request = real.fetch(...args);
		const over = request.then((answer) => answer.clone().arrayBuffer()).catch(() => {}).finally(() => requests.delete(over));
		requests.add(over);
		return request;
	};
	globalThis.forward = async (ms) => {
		ahead += ms;
		for (const [id, {due}] of [...timers].sort(([, a], [, b]) => a.due - b.due)) if (due <= Date.now()) fire(id);
		while (requests.size) await Promise.all(requests);
		await new Promise((done) => real.set(done)); // The page reads the answers.
	};
	// until returns how many ms pass until a condition holds, at most a minute.
	globalThis.until = async (condition) => {
		const begun = Date.now();
		while (!condition() && Date.now() - begun < 60_000) await forward(250);
		return Date.now() - begun;
	};
})()`

// isStale says that the page tells that it is out of date, and since when.
const isStale = `(() => document.querySelector('#live-text').textContent !== 'Live' && !document.querySelector('#stale').hidden
	&& document.querySelector('#stale-text').textContent.includes('as of') && document.querySelector('#stale time') !== null)`

const isLive = `(() => document.querySelector('#live-text').textContent === 'Live' && document.querySelector('#stale').hidden)`

// claims returns the words of the page that say that all is well.
const claims = `(() => (document.body.innerText.match(/\bLive\b|All systems running|\bRunning\b|fast as the quotas|all caught up/g) ?? []).join(', '))()`

// outageViews are all views, with an element of each.
var outageViews = []struct{ view, there string }{
	{"", ".numbers .stat"},
	{"new", ".chips"},
	{"users", "tr[data-login]"},
	{"users/alice", "#old-gists li, #new-gists li"},
	{"deals", "#deals li"},
	{"activity", "#runs li"},
	{"failures", "#view .empty"},
	{"quotas", ".meter"},
	{"add", "#logins"},
	{"operations", "#view .empty"},
	{"settings", "#token-name"},
	{"rules", "#add-rule"},
	{"webhooks", "#webhook-name"},
	{"audit", "#entries li"},
	{"erase", "#erase-login"},
	{"api", ".operation"},
}

// outageWorld is a server with a deal, and a browser that shows its overview.
type outageWorld struct {
	*process
	sim *sim.Sim
	env map[string]string
	ctx context.Context //nolint:containedctx // It is the browser's.
}

func newOutageWorld(t *testing.T, database string) *outageWorld {
	t.Helper()
	s, at := testenv.Simulate(t, sim.Options{Seed: 5})
	w := &outageWorld{sim: s, env: environment(t, at)}
	delete(w.env, "GISTDEAL_PIPEDRIVE_RATE") // With quotas.
	if database != "" {
		w.env["GISTDEAL_DATABASE_URL"] = database
	}
	s.MakeGists("alice", 1)
	w.process = start(t, w.env)
	w.user("alice")
	waitForDeals(t, w.process, "alice", 1)
	w.put("/api/v1/settings", `{"daily_limit":0}`)
	w.ctx = browse(t)
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: clockScript})
	testenv.Must(t, err)
	do(t, w.ctx, w.process, chromedp.Navigate(w.url))
	return w
}

// show shows a view that is up to date.
func (w *outageWorld) show(t *testing.T, view, there string) {
	t.Helper()
	eval[any](t, w.ctx, fmt.Sprintf(`(location.hash = '#/%s', null)`, view))
	waitFor(t, w.ctx, fmt.Sprintf(`document.querySelector(%q)`, there))
	// The browser opens the stream of events again in its own time.
	testenv.Eventually(t, "#/"+view+" is live", func() bool { return eval[float64](t, w.ctx, `until(`+isLive+`)`) < 60_000 }, dump(func() string { return text(t, w.ctx, "#live") }))
}

// uncertain expects that the view claims nothing that it cannot know, within 15 s.
func (w *outageWorld) uncertain(t *testing.T, view string) {
	t.Helper()
	if took := eval[float64](t, w.ctx, `until(`+isStale+`)`); took > 15_000 {
		t.Errorf("#/%s is stale after %v ms, want at most 15 s: %s %s", view, took, text(t, w.ctx, "#live"), text(t, w.ctx, "#stale"))
	}
	if said := eval[string](t, w.ctx, claims); said != "" {
		t.Errorf("#/%s claims %q", view, said)
	}
}

// moreDeals lets a scan notice another gist, whose deal is created next.
func (w *outageWorld) moreDeals() {
	w.sim.AddGist("alice", sim.Gist{})
	w.post("/api/v1/users/alice/scan", `{}`)
}

// fail makes all requests that begin so fail.
func (w *outageWorld) fail(requests ...string) {
	for _, match := range requests {
		w.sim.AddFault(sim.Fault{Match: match, Kind: "error-before"})
	}
}

func TestEachViewIsOutOfDateSoonAfterAnOutageBeganAndLiveAfterItsEnd(t *testing.T) {
	t.Parallel()
	w := newOutageWorld(t, "")
	var broken atomic.Value // the addresses that fail
	broken.Store("none")
	to, err := url.Parse(w.url)
	testenv.Must(t, err)
	proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if failing, _ := broken.Load().(string); failing == "all" || failing == "lists" && strings.HasPrefix(r.URL.Path, "/api/v1/") && r.URL.Path != "/api/v1/overview" || failing == "activity" && r.URL.Query().Has("include") {
			http.Error(out, "<h1>Bad gateway</h1>", http.StatusBadGateway)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, FlushInterval: -1}).ServeHTTP(out, r)
	}))
	t.Cleanup(func() { proxy.CloseClientConnections(); proxy.Close() })
	do(t, w.ctx, w.process, chromedp.Navigate(proxy.URL))
	for _, is := range outageViews {
		w.show(t, is.view, is.there)
		broken.Store("all")
		w.uncertain(t, is.view)
		broken.Store("none")
	}
	// The state of gistdeal is known, but the data of the view are not.
	for _, is := range outageViews {
		if !slices.Contains([]string{"", "new", "users", "deals", "activity", "failures", "quotas", "settings"}, is.view) {
			continue // It is read once.
		}
		w.show(t, is.view, is.there)
		broken.Store("lists")
		if took := eval[float64](t, w.ctx, `until(`+isStale+`)`); took > 35_000 {
			t.Errorf("#/%s is stale after %v ms, want once it is read again", is.view, took)
		}
		broken.Store("none")
	}
	// The list of users is shown without the activity of users, which is read after it.
	w.show(t, "", ".numbers .stat")
	broken.Store("activity")
	w.show(t, "users", "tr[data-login]")
	if took := eval[float64](t, w.ctx, `until(`+isStale+`)`); took > 20_000 || !eval[bool](t, w.ctx, `document.querySelector('tr[data-login]') !== null`) {
		t.Errorf("stale after %v ms: %s", took, text(t, w.ctx, "#view"))
	}
	broken.Store("none")
	w.show(t, "", ".numbers .stat")
}

func TestNoViewClaimsToKnowAnythingWhileNothingCanBeRead(t *testing.T) {
	t.Parallel()
	offline := func(t *testing.T, w *outageWorld, on bool) {
		t.Helper()
		_, err := chromedp.Call(w.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: on, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		testenv.Must(t, err)
		_, err = chromedp.Call(w.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: on, DownloadThroughput: -1, UploadThroughput: -1})
		testenv.Must(t, err)
	}
	server := pgtest.Start(t)
	for name, is := range map[string]struct {
		database   string
		begin, end func(t *testing.T, w *outageWorld)
		says       string
	}{
		"the server is stopped": {
			begin: func(_ *testing.T, w *outageWorld) { w.signal(9) },
			end: func(t *testing.T, w *outageWorld) {
				w.env["GISTDEAL_ADDR"] = strings.TrimPrefix(w.url, "http://")
				w.process = start(t, w.env)
			},
			says: "Can’t",
		},
		"the database is away": {
			database: server.URL(t),
			begin:    func(t *testing.T, _ *outageWorld) { server.Stop(t) },
			end:      func(t *testing.T, _ *outageWorld) { server.Go(t) },
			says:     "gistdeal can’t reach its database",
		},
		"the browser is offline": {
			begin: func(t *testing.T, w *outageWorld) { offline(t, w, true) },
			end:   func(t *testing.T, w *outageWorld) { offline(t, w, false) },
			says:  "This device is offline",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOutageWorld(t, is.database)
			w.show(t, "", ".numbers .stat")
			is.begin(t, w)
			w.uncertain(t, "")
			waitForText(t, w.ctx, "#stale", is.says)
			for _, v := range outageViews[1:] {
				eval[any](t, w.ctx, fmt.Sprintf(`(location.hash = '#/%s', null)`, v.view))
				w.uncertain(t, v.view)
			}
			is.end(t, w)
			w.show(t, "", ".numbers .stat")
			w.show(t, "users", "tr[data-login]")
		})
	}
}

func TestNoViewSaysThatAllIsWellWhileGitHubOrPipedriveRefuses(t *testing.T) {
	t.Parallel()
	for name, is := range map[string]struct {
		begin      func(w *outageWorld)
		tone       string
		says       []string // on the overview and the quotas
		inSettings string
		not        string // further claims that no view makes
	}{
		"GitHub refuses the token": {
			begin: func(w *outageWorld) { w.sim.Set(func(o *sim.Options) { o.GitHubToken = "another" }) },
			tone:  "bad", says: []string{"GitHub rejected the token", "GITHUB_TOKEN"}, inSettings: "Token rejected", not: "|all caught up",
		},
		"Pipedrive refuses the key": {
			begin: func(w *outageWorld) { w.sim.Set(func(o *sim.Options) { o.Token = "another" }) },
			tone:  "bad", says: []string{"Pipedrive rejected the API key", "PIPEDRIVE_API_KEY"}, inSettings: "API key rejected", not: "|fast as the quotas|all caught up",
		},
		"GitHub fails": {
			begin: func(w *outageWorld) { w.fail("GET /gists", "GET /users", "GET /user/", "POST /graphql") }, tone: "warn", says: []string{"Requests to GitHub fail", "GitHub answers 500", "Since"}, not: "|all caught up",
		},
		"Pipedrive fails": {
			begin: func(w *outageWorld) { w.fail("GET /api/", "POST /api/") }, tone: "warn", says: []string{"Requests to Pipedrive fail", "Since"}, not: "|fast as the quotas|all caught up",
		},
		"Pipedrive's day is spent": {
			begin: func(w *outageWorld) { w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "spent"}) }, tone: "warn", says: []string{"Waiting for Pipedrive", "Next try"}, not: "|fast as the quotas",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newOutageWorld(t, "")
			w.show(t, "", ".numbers .stat")
			is.begin(w)
			w.moreDeals()
			shown := fmt.Sprintf(`(() => document.querySelector('.status [data-tone="%s"]') !== null && %q.split('|').every((word) => document.querySelector('.status').textContent.includes(word)))`, is.tone, strings.Join(is.says, "|"))
			testenv.Eventually(t, "the overview says "+strings.Join(is.says, ", "), func() bool {
				return eval[float64](t, w.ctx, `until(`+shown+`)`) < 60_000
			}, dump(func() string { return text(t, w.ctx, ".status") }))
			for _, v := range outageViews {
				w.show(t, v.view, v.there)
				if said := eval[string](t, w.ctx, `(document.body.innerText.match(/All systems running|Running, but`+is.not+`/g) ?? []).join(', ')`); said != "" {
					t.Errorf("#/%s claims %q", v.view, said)
				}
				if v.view == "quotas" || v.view == "" {
					for _, word := range is.says {
						waitForText(t, w.ctx, "#view", word)
					}
				}
				if v.view == "settings" && is.inSettings != "" {
					waitForText(t, w.ctx, "#account", is.inSettings)
				}
			}
		})
	}
}
