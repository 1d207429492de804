package sim_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// feed returns the ids of a page of the feed.
func (w *world) feed(query string) []string {
	w.t.Helper()
	g := w.get("/gists/public" + query)
	want(w.t, g, http.StatusOK)
	return gistIDs(decode[[]gistView](w.t, g))
}

func wantFeed(t *testing.T, w *world, ids ...string) {
	t.Helper()
	if got := w.feed(""); !slices.Equal(got, ids) {
		t.Errorf("the feed has %v, want %v", got, ids)
	}
}

func TestTheFeedIsSortedByCreationOrByUpdate(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now})
	for _, id := range []string{"first", "second", "third"} {
		w.AddGist("octocat", sim.Gist{ID: id})
		c.advance(time.Minute)
	}
	w.EditGist("second", func(g *sim.Gist) { g.Comments++ })
	wantFeed(t, w, "third", "second", "first")
	w.Set(func(o *sim.Options) { o.FeedByUpdate = true })
	wantFeed(t, w, "second", "third", "first")
	if got := w.feed("?since=" + c.now().Format(time.RFC3339)); !slices.Equal(got, []string{"second"}) {
		t.Errorf("since the edit: %v", got)
	}
}

func TestEachGistAppearsInTheFeedAfterALagOfItsOwn(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Seed: 1, Now: c.now, GitHubLimit: -1, FeedLagMin: 6 * time.Second, FeedLagMax: 33 * time.Second})
	for i := range 60 {
		w.AddGist("octocat", sim.Gist{ID: strconv.Itoa(i)})
	}
	lags := map[time.Duration]int{}
	shown := 0
	for lag := time.Duration(0); lag <= 33*time.Second; lag += time.Second {
		if n := len(w.feed("?per_page=100")); n > shown {
			lags[lag], shown = n-shown, n
		}
		c.advance(time.Second)
	}
	if lags[5*time.Second] != 0 || len(lags) < 10 || shown != 60 {
		t.Errorf("%d gists appeared, by lag: %v", shown, lags)
	}
	if n := len(decode[[]gistView](t, w.get("/users/octocat/gists?per_page=100"))); n != 60 {
		t.Errorf("%d gists in the list of the author, want 60", n)
	}
}

func TestTheFeedLeavesOutAShareOfGistsAndNamedOnes(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1, FeedOmits: 0.1})
	w.MakeGists("octocat", 1_000)
	gists, _ := pages(t, w, "/gists/public?per_page=100")
	if n := len(gists); n < 860 || n > 940 {
		t.Errorf("%d of 1,000 gists in the feed, want 900 or so", n)
	}
	if again, _ := pages(t, w, "/gists/public?per_page=100"); !slices.Equal(gistIDs(gists), gistIDs(again)) {
		t.Error("the feed leaves out other gists the second time")
	}
	w.Set(func(o *sim.Options) { o.FeedOmits = 0 })
	id := w.AddGist("octocat", sim.Gist{})
	w.OmitFromFeed(id, true)
	if slices.Contains(w.feed(""), id) {
		t.Error("the feed has a gist that it should leave out")
	}
	want(t, w.get("/users/octocat/gists"), http.StatusOK, id)
	w.OmitFromFeed(id, false)
	if w.feed("")[0] != id {
		t.Error("the feed lacks the gist, which it should have again")
	}
}

func TestNewAndDeletedGistsShiftThePagesOfTheFeed(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now})
	for _, id := range []string{"a", "b", "c", "d"} {
		w.AddGist("octocat", sim.Gist{ID: id})
		c.advance(time.Minute)
	}
	page := func(n int) string { return strings.Join(w.feed("?per_page=2&page="+strconv.Itoa(n)), " ") }
	if got := page(1); got != "d c" {
		t.Errorf("page 1 has %s", got)
	}
	w.AddGist("other", sim.Gist{ID: "e"})
	if got := page(2); got != "c b" {
		t.Errorf("after a new gist, page 2 has %s, want c again", got)
	}
	if !w.DeleteGist("e") || !w.DeleteGist("d") || w.DeleteGist("d") {
		t.Error("two gists can be deleted once each")
	}
	if got := page(2); got != "a" {
		t.Errorf("after two deletions, page 2 has %s: b is on page 1 now", got)
	}
}

func TestASecretGistThatBecomesPublicKeepsItsCreationTime(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{false, true} {
		c := newClock()
		w := start(t, sim.Options{Now: c.now, QuietFlips: quiet, FeedLagMin: time.Second, FeedLagMax: time.Second})
		created := c.now()
		id := w.AddGist("octocat", sim.Gist{Secret: true})
		c.advance(time.Hour)
		w.AddGist("octocat", sim.Gist{ID: "newer"})
		if !w.MakePublic(id) || w.MakePublic(id) {
			t.Error("the gist was secret only once")
		}
		wantFeed(t, w) // both lag
		c.advance(time.Second)
		wantFeed(t, w, "newer", id)
		g := decode[gistView](t, w.get("/gists/"+id))
		if !g.Public || !g.CreatedAt.Equal(created) || g.UpdatedAt.Equal(created) != quiet {
			t.Errorf("quiet %t: %+v", quiet, g)
		}
	}
}

func TestStrangersFillTheFeedAndNotTheReport(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Seed: 1, GitHubLimit: -1})
	w.AddGist("octocat", sim.Gist{ID: "tracked"})
	w.PostStrangers(1, 0)
	first := decode[[]gistView](t, w.get("/gists/public?per_page=1"))[0]
	w.PostStrangers(20_000, 24*time.Hour)
	gists, _ := pages(t, w, "/gists/public?per_page=100")
	owners := map[int64]bool{}
	for _, g := range gists {
		owners[g.Owner.ID] = true
	}
	if len(gists) != 3_000 || len(owners) < 2_800 {
		t.Errorf("%d gists of %d users in the feed", len(gists), len(owners))
	}
	if r := w.Report(); r.Gists != 1 || !slices.Equal(r.WithoutDeal, []string{"tracked"}) {
		t.Errorf("%d gists in the report, %d of them without a deal", r.Gists, len(r.WithoutDeal))
	}
	owner := "/user/" + strconv.FormatInt(gists[0].Owner.ID, 10)
	want(t, w.get(owner), http.StatusOK, `"login":"stranger-`)
	want(t, w.get(owner+"/gists"), http.StatusOK, gists[0].ID)
	want(t, w.get("/gists/"+first.ID), http.StatusNotFound)
	want(t, w.get("/user/"+strconv.FormatInt(first.Owner.ID, 10)), http.StatusNotFound)
}

func TestStrangersChangeNoOtherDataOfASeed(t *testing.T) {
	t.Parallel()
	make := func(strangers int) sim.Report {
		s := sim.New(sim.Options{Seed: 1, Now: newClock().now})
		s.PostStrangers(strangers, time.Minute)
		s.MakeGists("octocat", 20)
		return s.Report()
	}
	if !slices.Equal(make(0).WithoutDeal, make(10).WithoutDeal) {
		t.Error("the gists of octocat have other ids with strangers")
	}
}

func TestTheFeedCountsAsOtherRequestsDo(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.AddGist("octocat", sim.Gist{})
	anonymous := w.get("/gists/public")
	wantHeader(t, anonymous, "Cache-Control", "public, max-age=60, s-maxage=60", "X-Ratelimit-Limit", "60", "X-Ratelimit-Used", "1")
	g := w.get("/gists/public", "If-None-Match", anonymous.header.Get("ETag"))
	want(t, g, http.StatusNotModified)
	wantHeader(t, g, "X-Ratelimit-Used", "2")
	known := w.get("/gists/public", "Authorization", "Bearer a")
	wantHeader(t, known, "Cache-Control", "private, max-age=60, s-maxage=60")
	g = w.get("/gists/public", "Authorization", "Bearer a", "If-None-Match", known.header.Get("ETag"))
	want(t, g, http.StatusNotModified)
	wantHeader(t, g, "X-Ratelimit-Used", "1")
	w.AddFault(sim.Fault{Match: "GET /gists/public", Kind: "limit", Times: 1})
	want(t, w.get("/gists/public", "Authorization", "Bearer a"), http.StatusForbidden, "secondary rate limit")
	if n := w.Report().Requests["GET /gists/public"]; n != 5 {
		t.Errorf("%d requests for the feed in the report, want 5", n)
	}
}

func TestTheFeedIsControlledByOtherProcesses(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	w.AddGist("octocat", sim.Gist{ID: "old"})
	w.AddGist("octocat", sim.Gist{ID: "secret", Secret: true})
	post := func(path, body string) { want(t, w.do(http.MethodPost, path, body), http.StatusOK) }
	post("/_sim/gists/secret/public", "")
	want(t, w.do(http.MethodPost, "/_sim/gists/secret/public", ""), http.StatusNotFound)
	post("/_sim/strangers", `{"gists":5,"over":"10s"}`)
	if n := len(w.feed("")); n != 7 {
		t.Errorf("%d gists in the feed, want 7", n)
	}
	want(t, w.do(http.MethodDelete, "/_sim/gists/old", ""), http.StatusOK)
	post("/_sim/feed/omitted", `{"ids":["secret"]}`)
	if n := len(w.feed("")); n != 5 {
		t.Errorf("%d gists in the feed, want 5", n)
	}
	post("/_sim/feed/omitted", `{"ids":["secret"],"omit":false}`)
	post("/_sim/knobs", `{"feed_by_update":true,"feed_lag_min":"6s","feed_lag_max":"33s","feed_omits":0.5,"quiet_flips":true}`)
	w.Set(func(o *sim.Options) {
		if !o.FeedByUpdate || o.FeedLagMin != 6*time.Second || o.FeedLagMax != 33*time.Second || o.FeedOmits != 0.5 || !o.QuietFlips {
			t.Errorf("options after the request: %+v", o)
		}
	})
}
