package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/activity"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

type dealList struct {
	Deals []admin.Deal `json:"deals"`
	Next  string       `json:"next"`
}

func TestARecordedVisitDecidesWhichGistsAreNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(3, "alice")
	var list struct {
		Gists []admin.ListedGist `json:"gists"`
		Seen  int64              `json:"seen"`
		Next  string             `json:"next"`
	}
	w.get("/users/alice/gists?show=new&limit=2", &list)
	if len(list.Gists) != 2 || list.Seen != 0 || list.Next == "" || list.Gists[0].DealURL == "" || list.Gists[0].Seq <= list.Gists[1].Seq {
		t.Fatalf("%+v", list)
	}
	w.get("/users/alice/gists?show=new&limit=2&cursor="+list.Next, &list)
	if len(list.Gists) != 1 {
		t.Errorf("the second page has %d gists, want 1", len(list.Gists))
	}
	var seen struct{ Seen, Before int64 }
	w.read(w.send(http.MethodPut, "/users/alice/visit", `{"seq":1}`), http.StatusOK, &seen)
	if seen.Seen != 1 {
		t.Errorf("seen %d, want 1", seen.Seen)
	}
	w.get("/users/alice/gists?show=new", &list)
	if len(list.Gists) != 2 {
		t.Errorf("%d new gists after a visit of the first, want 2", len(list.Gists))
	}
	// Nobody saw future gists, and a later visit never lowers the last gist seen.
	w.read(w.send(http.MethodPut, "/users/alice/visit", `{"seq":9000000000}`), http.StatusOK, &seen)
	w.read(w.send(http.MethodPut, "/users/alice/visit", `{"seq":1}`), http.StatusOK, &seen)
	if seen.Seen != 3 {
		t.Errorf("seen %d, want 3", seen.Seen)
	}
	w.get("/users/alice/gists?show=new", &list)
	if len(list.Gists) != 0 {
		t.Errorf("%d new gists, want none", len(list.Gists))
	}
	// A visit is taken back, once.
	w.read(w.send(http.MethodPut, "/users/alice/visit", `{"seq":1,"replaces":2}`), http.StatusOK, &seen)
	if seen.Seen != 3 {
		t.Errorf("seen %d after another visit was taken back, want 3", seen.Seen)
	}
	w.read(w.send(http.MethodPut, "/users/alice/visit", `{"seq":1,"replaces":3}`), http.StatusOK, &seen)
	if w.get("/users/alice/gists?show=new", &list); seen.Seen != 1 || seen.Before != 3 || len(list.Gists) != 2 {
		t.Errorf("%+v with %d new gists after the visit was taken back, want 1 and 2", seen, len(list.Gists))
	}
	w.get("/users/alice/gists?state=failed,awaiting_approval", &list)
	if len(list.Gists) != 0 {
		t.Errorf("%d gists with failed deals, want none", len(list.Gists))
	}
	w.refused(w.send(http.MethodGet, "/users/nobody/gists", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodPut, "/users/alice/visit", `{"seq":-1}`), http.StatusBadRequest, "invalid")
}

func TestFailedDealsAreGroupedRetriedSkippedAndExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "invalid", Times: 3})
	w.track(5, "alice")
	var failures struct{ Failures []gistdeal.Failure }
	w.get("/failures", &failures)
	if len(failures.Failures) != 1 || failures.Failures[0].Deals != 3 || failures.Failures[0].Problem == "" {
		t.Fatalf("failures: %+v", failures)
	}
	var list dealList
	w.get("/deals?state=failed&limit=2", &list)
	if len(list.Deals) != 2 || list.Next == "" {
		t.Fatalf("%+v", list)
	}
	var turned admin.DealResults
	first := list.Deals[0].GistID
	w.read(w.send(http.MethodPost, "/deals/skip", `{"gists":["`+first+`","nosuch"],"note":"not ours"}`), http.StatusOK, &turned)
	if turned.Deals != 1 || len(turned.Results) != 2 || turned.Results[1].Result != "not_found" {
		t.Errorf("skipped: %+v", turned)
	}
	w.read(w.send(http.MethodPost, "/deals/retry", `{}`), http.StatusOK, &turned)
	if turned.Deals != 2 {
		t.Errorf("%d deals are retried, want the 2 failed ones", turned.Deals)
	}
	testenv.Eventually(w.t, "the retried deals exist", func() bool { return w.sim.Report().Deals == 4 })
	w.get("/deals?user=alice&state=skipped", &list)
	if len(list.Deals) != 1 || list.Deals[0].Problem != "not ours" {
		t.Errorf("skipped: %+v", list)
	}
	var history admin.History
	w.get("/deals/"+failures.Failures[0].Example, &history)
	if len(history.Attempts) == 0 || history.Attempts[0].Outcome != "refused" || history.NoticedAt.IsZero() || history.Gist.ID != history.GistID {
		t.Errorf("history: %+v", history)
	}
	w.refused(w.send(http.MethodGet, "/deals/nosuch", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodPost, "/deals/skip", `{"note":"all of them"}`), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodPost, "/deals/skip", `{"user":"alice"}`), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodPost, "/deals/retry", `{"gist":["a"]}`), http.StatusBadRequest, "invalid")
}

func TestDealsOfOneCauseAreRetriedAndOthersStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := func(words string, times int) {
		w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "answer", Status: 400, Body: `{"success":false,"error":"` + words + `"}`, Times: times})
	}
	refused("title: too odd", 3)
	w.track(3, "alice")
	refused("value: too high", 2)
	w.track(2, "bob")
	var failures struct{ Failures []gistdeal.Failure }
	w.get("/failures", &failures)
	if len(failures.Failures) != 2 || failures.Failures[0].Deals != 3 {
		t.Fatalf("failures: %+v", failures)
	}
	cause := failures.Failures[0].Problem
	var list dealList
	w.get("/deals?problem="+url.QueryEscape(cause), &list)
	if len(list.Deals) != 3 || list.Deals[0].Problem != cause {
		t.Errorf("%+v, want the 3 of %q", list, cause)
	}
	body, err := json.Marshal(map[string]string{"problem": cause})
	testenv.Must(t, err)
	var turned admin.DealResults
	w.read(w.send(http.MethodPost, "/deals/retry", string(body)), http.StatusOK, &turned)
	if turned.Deals != 3 {
		t.Errorf("%d deals are retried, want the 3 of %q", turned.Deals, cause)
	}
	testenv.Eventually(w.t, "the retried deals exist", func() bool { return w.sim.Report().Deals == 3 })
	w.get("/deals?state=failed", &list)
	if len(list.Deals) != 2 || list.Deals[0].Login != "bob" {
		t.Errorf("%+v, want bob's 2", list)
	}
}

func TestTheOverviewShowsTheCurrentState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(3, "alice")
	var o activity.Overview
	w.get("/overview", &o)
	today := o.Days[len(o.Days)-1]
	if !o.Leader || o.Users["active"] != 1 || o.Deals["created"] != 3 || len(o.Days) != 30 || today.Gists != 3 || today.Deals != 3 || o.NextScan.IsZero() {
		t.Errorf("overview: %+v", o)
	}
	var p activity.Pushes
	w.read(w.send(http.MethodPost, "/pushes/pause", `{"reason":"spring cleaning"}`), http.StatusOK, &p)
	w.get("/overview", &o)
	if !p.Changed || !o.Pushes.Paused || o.Pushes.Reason != "spring cleaning" {
		t.Errorf("paused: %+v, overview: %+v", p, o.Pushes)
	}
	w.read(w.send(http.MethodPost, "/pushes/resume", ""), http.StatusOK, &p)
	w.get("/overview", &o)
	if !p.Changed || o.Pushes.Paused {
		t.Errorf("resumed: %+v, overview: %+v", p, o.Pushes)
	}
	w.sim.AddGist("alice", sim.Gist{CreatedAt: time.Now().Add(time.Second)})
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	var d activity.Delays
	testenv.Eventually(t, "the time to the new deal is counted", func() bool {
		w.get("/overview/delays", &d)
		return d.Days[len(d.Days)-1].Deals == 1
	})
	if last := d.Days[29]; len(d.Days) != 30 || len(last.Counts) != len(d.Bounds)+1 || last.P95 == 0 || d.Days[0].Deals != 0 {
		t.Errorf("delays: %+v", d)
	}
	var limits struct {
		Quotas []struct{ Name string }
	}
	w.get("/quotas", &limits)
	var me struct{ Name, Scope, Version string }
	if w.get("/me", &me); me.Scope != "admin" || me.Version != "test" {
		t.Errorf("me: %+v", me)
	}
}

func TestAnUnchangedListIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	first := w.send(http.MethodGet, "/users", "")
	tag := first.header.Get("ETag")
	if again := w.send(http.MethodGet, "/users", "", "If-None-Match: W/"+tag); again.status != http.StatusNotModified || again.body != "" || tag == "" {
		t.Errorf("ETag %q: status %d, %q", tag, again.status, again.body)
	}
	w.read(w.send(http.MethodPost, "/users/alice/pause", ""), http.StatusOK, nil)
	if changed := w.send(http.MethodGet, "/users", "", "If-None-Match: "+tag); changed.status != http.StatusOK {
		t.Errorf("status %d after a change", changed.status)
	}
}

func TestAnUnknownRouteListsTheRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused(w.send(http.MethodGet, "/nothing", ""), http.StatusNotFound, "about:blank")
	r := w.send(http.MethodPut, "/users", "{}")
	w.refused(r, http.StatusMethodNotAllowed, "about:blank")
	if allow := r.header.Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow: %q", allow)
	}
	if doc := w.send(http.MethodGet, "/openapi.json", ""); doc.status != 200 || !strings.Contains(doc.body, `"openapi":"3.1.0"`) || !strings.Contains(doc.body, "/api/v1/users/{login}/gists") {
		t.Errorf("status %d: %.200s", doc.status, doc.body)
	}
}

func TestGistsDealsAndRunsAreDownloadedAsCSV(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	now := time.Now()
	_, err := w.db.Track(t.Context(), gistdeal.Account{ID: 1, Login: "alice"}, gistdeal.BackfillAll, now)
	testenv.Must(t, err)
	gists := []gistdeal.Gist{{ID: "a1", Description: "=HYPERLINK(\"https://evil.example\")"}, {ID: "a2", Description: "@sum, \"quoted\"", Files: []gistdeal.File{{Name: "-x.go"}}}}
	_, err = w.db.SaveGists(t.Context(), 1, gists, gistdeal.NewGistPolicy{Decisions: map[string]gistdeal.Decision{"a1": {Action: gistdeal.RuleCreate}, "a2": {Action: gistdeal.RuleCreate, Rule: "short"}}}, now)
	testenv.Must(t, err)
	_, err = w.db.StartRun(t.Context(), gistdeal.Run{Kind: gistdeal.RunScan, UserID: 1, StartedAt: now, UpdatedAt: now, Problem: "-1 pages"})
	testenv.Must(t, err)
	for path, want := range map[string][]string{
		"/deals.csv?sort=-gist":                         {"gist_id,gist_url,login,", "a2,https://gist.github.com/alice/a2,alice,\"'@sum, \"\"quoted\"\"\",queued,", "a1,https://gist.github.com/alice/a1,alice,\"'=HYPERLINK("},
		"/deals.csv?search=sum":                         {"gist_id,", "a2,"},
		"/deals.csv?rule=short":                         {"gist_id,", "a2,"},
		"/gists.csv":                                    {"gist_id,gist_url,login,", "a1,https://gist.github.com/alice/a1,alice,1,\"'=HYPERLINK(", "a2,https://gist.github.com/alice/a2,alice,1,\"'@sum, \"\"quoted\"\"\",'-x.go,,"},
		"/gists.csv?updated_since=2100-01-01T00:00:00Z": {"gist_id,"},
		"/runs.csv?kind=scan":                           {"id,kind,login,", "1,scan,alice,"},
	} {
		r := w.send(http.MethodGet, path, "")
		lines := strings.Split(strings.TrimSuffix(r.body, "\r\n"), "\r\n")
		if r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") || len(lines) != len(want) {
			t.Errorf("%s: status %d, %v: %s", path, r.status, r.header, r.body)
			continue
		}
		for i, begin := range want {
			if !strings.HasPrefix(lines[i], begin) {
				t.Errorf("%s: line %d is %q, want %q", path, i+1, lines[i], begin)
			}
		}
	}
	if r := w.send(http.MethodGet, "/runs.csv", ""); !strings.HasSuffix(r.body, ",'-1 pages\r\n") {
		t.Errorf("%q, want the problem after an apostrophe", r.body)
	}
	w.refused(w.send(http.MethodGet, "/deals.csv?sort=title", ""), http.StatusBadRequest, "invalid")
}
