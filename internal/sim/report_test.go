package sim_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gistdeal/internal/sim"
)

func TestTheReportListsTheDealsOfEachGist(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	w.SeedFields()
	url, _ := w.Field("Gist Access URL")
	code := w.AddField("Gist ID", "varchar")
	w.AddUser(sim.User{Login: "octocat", Gists: []sim.Gist{{ID: "once"}, {ID: "twice"}, {ID: "never"}, {ID: "deleted"}, {ID: "secret", Secret: true}}})
	once := w.SeedDeal("octocat", "once", "")
	a := w.deal(`{"title":"t","custom_fields":{"` + code + `":"twice"}}`)
	b := w.deal(`{"title":"t","custom_fields":{"` + url + `":"https://gist.github.com/octocat/twice"}}`)
	w.DeleteDeal(w.deal(`{"title":"t","custom_fields":{"` + code + `":"deleted"}}`))
	w.ArchiveDeal(a)

	r := w.Report()
	if r.Deals != 3 || r.Gists != 4 || !slices.Equal(r.WithoutDeal, []string{"never"}) {
		t.Errorf("%d deals, %d gists, without a deal: %v", r.Deals, r.Gists, r.WithoutDeal)
	}
	if !maps.EqualFunc(r.Duplicated, map[string][]int64{"twice": {a, b}}, slices.Equal) {
		t.Errorf("duplicates: %v", r.Duplicated)
	}
	if !slices.Equal(r.ByGist["once"], []int64{once}) || len(r.ByGist) != 2 {
		t.Errorf("by gist: %v", r.ByGist)
	}
	if w.DeleteDeal(99) || w.ArchiveDeal(0) {
		t.Error("a change of a missing deal succeeded")
	}
}

func TestReportLogsRequestsWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Token: "hush"})
	w.AddUser(sim.User{Login: "octocat"})
	w.get("/users/octocat/gists?per_page=100", "Authorization", "Bearer hush")
	w.get(deals+"?api_token=hush&limit=1", "X-Api-Token", "hush")
	r := w.Report()
	if r.Requests["GET /users/{login}/gists"] != 1 || r.Requests["GET /api/v2/deals"] != 1 {
		t.Errorf("requests: %v", r.Requests)
	}
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "hush") {
		t.Errorf("the report contains a secret: %s, %v", text, err)
	}
	first := r.RequestLog[0]
	if first.Path != "/users/octocat/gists?per_page=100" || first.Status != http.StatusOK || first.Method != http.MethodGet {
		t.Errorf("logged: %+v", first)
	}
}

func TestRequestLogKeepsTheLast10000(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{})
	for range 20_001 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/rate_limit", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		s.ServeHTTP(&discard{}, r)
	}
	r := s.Report()
	if len(r.RequestLog) != 10_000 || r.Requests["GET /rate_limit"] != 20_001 {
		t.Errorf("%d requests logged of %v", len(r.RequestLog), r.Requests)
	}
}

// discard is a ResponseWriter that discards responses.
type discard struct{ header http.Header }

func (n *discard) Header() http.Header {
	if n.header == nil {
		n.header = http.Header{}
	}
	return n.header
}
func (*discard) Write(p []byte) (int, error) { return len(p), nil }
func (*discard) WriteHeader(int)             {}

func TestControlRoutesChangeTheSimulator(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{})
	want(t, w.do(http.MethodPost, "/_sim/users", `{"login":"octocat","gists":3}`), http.StatusOK, `"id":`)
	type created struct {
		ID string `json:"id"`
	}
	id := decode[created](t, w.do(http.MethodPost, "/_sim/gists", `{"login":"octocat","description":null,"files":["a.go"]}`)).ID
	want(t, w.get("/gists/"+id), http.StatusOK, `"description":null`, `"a.go"`)
	id = decode[created](t, w.do(http.MethodPost, "/_sim/gists", `{"login":"octocat","description":""}`)).ID
	want(t, w.get("/gists/"+id), http.StatusOK, `"description":""`)
	w.deal(title(1))
	want(t, w.do(http.MethodPost, "/_sim/deals/1/archive", ""), http.StatusOK)
	want(t, w.do(http.MethodDelete, "/_sim/deals/1", ""), http.StatusOK)
	want(t, w.do(http.MethodDelete, "/_sim/deals/1", ""), http.StatusNotFound)
	want(t, w.get("/_sim/report"), http.StatusOK, `"by_gist":{}`, `"without_deal":["`, `"gists":5`, `"peak_per_2s":1`, `"duplicate":{}`)

	fault := `{"match":"GET /api/v2/deals","kind":"latency","latency":"10ms","times":3}`
	want(t, w.do(http.MethodPost, "/_sim/faults", fault), http.StatusOK, `"latency":"10ms"`)
	want(t, w.get("/_sim/faults"), http.StatusOK, `"kind":"latency"`)
	want(t, w.do(http.MethodDelete, "/_sim/faults", ""), http.StatusOK, `"faults":[]`)
	want(t, w.do(http.MethodPost, "/_sim/faults", `{"kind":"nonsense"}`), http.StatusBadRequest, "nonsense")

	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"list_delay":"1m","burst":1,"token":"new"}`), http.StatusOK)
	want(t, w.get(deals), http.StatusUnauthorized)
	wantHeader(t, w.get("/v1/users/me", "X-Api-Token", "new"), "X-RateLimit-Limit", "1")
	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"nonsense":1}`), http.StatusBadRequest)
	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"latency":"soon"}`), http.StatusBadRequest)
	want(t, w.do(http.MethodPost, "/_sim/knobs", `{"latency":5}`), http.StatusBadRequest)
	want(t, w.get("/_sim/report", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
}

func TestTheSimulatorsPageShowsDeals(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	id := w.SeedDeal("octocat", "abc", "<script>alert(1)</script>")
	for range 100 {
		w.SeedDeal("octocat", "def", "")
	}
	want(t, w.get("/deals"), http.StatusOK, "Gist from octocat", "untitled - def", `href="https://gist.github.com/octocat/def"`, `href="/deals?before=2"`)
	g := w.get("/deals?before=2")
	want(t, g, http.StatusOK, "&lt;script&gt;")
	if strings.Contains(g.text, "<script>") || strings.Contains(g.text, "Older") {
		t.Errorf("the last page: %s", g.text)
	}
	w.DeleteDeal(id)
	want(t, w.get("/deal/1"), http.StatusOK, "deleted")
	want(t, w.get("/deal/102"), http.StatusNotFound)
}

func TestDemoHasUsersOfAllSizesAndRunAddsGists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Options{Seed: 1})
		s.Demo()
		before := s.Report().Gists
		if before < 2_600 {
			t.Errorf("%d gists in the demo", before)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute+time.Second)
		defer cancel()
		s.Run(ctx, time.Minute)
		if n := s.Report().Gists - before; n != 10 {
			t.Errorf("%d new gists in ten minutes, want 10", n)
		}
	})
}
