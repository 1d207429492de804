package sim_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

type searchResponse struct {
	Data struct {
		Items []struct {
			Item struct {
				ID     int64    `json:"id"`
				Custom []string `json:"custom_fields"`
			} `json:"item"`
		} `json:"items"`
	} `json:"data"`
	Additional struct {
		Next *string `json:"next_cursor"`
	} `json:"additional_data"`
}

func search(t *testing.T, w *world, query string) (ids []int64, next string) {
	t.Helper()
	g := w.get("/api/v2/deals/search?" + query)
	want(t, g, http.StatusOK)
	page := decode[searchResponse](t, g)
	for _, hit := range page.Data.Items {
		ids = append(ids, hit.Item.ID)
	}
	if page.Additional.Next != nil {
		next = *page.Additional.Next
	}
	return ids, next
}

func TestSearchesFindTitlesAndCustomFields(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	id, count, day := w.AddField("Gist ID", "varchar"), w.AddField("Files", "double"), w.AddField("Created", "date")
	w.deal(`{"title":"Rotate Logs","custom_fields":{"` + id + `":"aa5a","` + count + `":42,"` + day + `":"2026-11-23"}}`)
	w.deal(`{"title":"aa5a","status":"won"}`)
	w.deal(`{"title":"rotate shoes","custom_fields":{"` + id + `":"aa5a77"}}`)
	w.deal(`{"title":"rotated and deleted"}`)
	w.DeleteDeal(4)
	for query, want := range map[string][]int64{
		"term=AA5A": {1, 2, 3}, "term=aa5a&exact_match=true": {1, 2}, "term=aa5a&fields=custom_fields": {1, 3},
		"term=aa5a&fields=title,notes": {2}, "term=aa5a&status=open": {1, 3}, "term=rotate": {1, 3}, "term=42": {1},
		"term=2026-11-23": nil, "term=aa5a&person_id=5": nil, "term=r&exact_match=true": nil, "term=aa&fields=notes": nil,
	} {
		if ids, _ := search(t, w, query); !slices.Equal(ids, want) {
			t.Errorf("%s found %v, want %v", query, ids, want)
		}
	}
	ids, next := search(t, w, "term=aa5a&limit=2")
	if rest, end := search(t, w, "term=aa5a&limit=2&cursor="+url.QueryEscape(next)); !slices.Equal(append(ids, rest...), []int64{1, 2, 3}) || end != "" {
		t.Errorf("pages of %v and %v, then %q", ids, rest, end)
	}
	for _, query := range []string{
		"", "term=a", "term=&exact_match=true", "term=aa&fields=label", "term=aa&status=deleted", "term=aa&limit=501", "term=aa&cursor=x", "term=aa&sort_by=id",
		"term=aa&exact_match=1", "term=aa&include_fields=notes_count",
	} {
		want(t, w.get("/api/v2/deals/search?"+query), http.StatusBadRequest, "ERR_SCHEMA_VALIDATION_FAILED")
	}
}

func TestANewDealAppearsInListsBeforeSearchesFindIt(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := unlimited()
	o.Now, o.SearchDelay = c.now, 3*time.Second
	w := start(t, o)
	w.deal(`{"title":"fresh"}`)
	if deals, _ := readList(t, w, "/api/v2/deals?limit=1", ""); len(deals) != 1 {
		t.Errorf("%d deals in the list, want 1", len(deals))
	}
	if ids, _ := search(t, w, "term=fresh"); ids != nil {
		t.Errorf("the search found %v at once", ids)
	}
	c.advance(3 * time.Second)
	if ids, _ := search(t, w, "term=fresh"); !slices.Equal(ids, []int64{1}) {
		t.Errorf("the search found %v after 3 s, want deal 1", ids)
	}
}

func TestTenSearchesIn2SecondsAreAllowed(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Seed: 1, Now: c.now, Burst: 100, DailyTokens: -1})
	for range 10 {
		search(t, w, "term=logs")
	}
	want(t, w.get("/api/v2/deals/search?term=logs"), http.StatusTooManyRequests)
	want(t, w.get("/api/v2/deals"), http.StatusOK)
	c.advance(2 * time.Second)
	search(t, w, "term=logs")
	if n := w.Report().Limited; n != 1 {
		t.Errorf("%d requests were refused, want 1", n)
	}
}

func TestARegularUserFindsOnlyDealsThatItSees(t *testing.T) {
	t.Parallel()
	w := team(t, sim.Key{})
	for _, body := range []string{`{"title":"rotate logs"}`, `{"title":"rotate keys","visible_to":1}`, `{"title":"rotate shoes","pipeline_id":2}`} {
		want(t, w.do(http.MethodPost, deals, body, as("admin")...), http.StatusOK)
	}
	w.HidePipeline("Gists")
	g := w.get("/api/v2/deals/search?term=rotate", as("regular")...)
	if hits := decode[searchResponse](t, g).Data.Items; len(hits) != 1 || hits[0].Item.ID != 1 {
		t.Errorf("the search found %+v, want deal 1", hits)
	}
}
