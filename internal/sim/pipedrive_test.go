package sim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

// unlimited returns the options of a Pipedrive account without limits.
func unlimited() sim.Options { return sim.Options{Seed: 1, Burst: -1, DailyTokens: -1} }

func TestDealsAreCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	code := w.AddField("Gist ID", "varchar")
	g := w.do(http.MethodPost, "/api/v2/deals", `{"title":"a deal","stage_id":7,"visible_to":3,"custom_fields":{"`+code+`":"abc"}}`)
	want(t, g, http.StatusOK, `"success":true`, `"add_time":"`)
	created := decode[dealResponse](t, g).Data
	if created.ID != 1 || created.PipelineID != 2 || created.CustomFields[code] != "abc" {
		t.Errorf("created: %+v", created)
	}
	if strings.Contains(g.text, "won_time") {
		t.Error("an open deal has a time at which it was won")
	}
	g = w.do(http.MethodPatch, "/api/v2/deals/1", `{"title":"`+strings.Repeat("ä", 300)+`"}`)
	if title := decode[dealResponse](t, g).Data.Title; title != strings.Repeat("ä", 255) {
		t.Errorf("title of %d bytes, want 255 letters", len(title))
	}
	want(t, w.do(http.MethodDelete, "/api/v2/deals/1", ""), http.StatusOK, `"data":{"id":1}`)
	want(t, w.get("/api/v2/deals/1"), http.StatusOK, `"is_deleted":true`)
	w.Set(func(o *sim.Options) { o.DeletedDeal404 = true })
	want(t, w.get("/api/v2/deals/1"), http.StatusNotFound, "Deal not found")
	w.Set(func(o *sim.Options) { o.CreateStatus = http.StatusCreated })
	want(t, w.do(http.MethodPost, "/api/v2/deals", title(2)), http.StatusCreated, `"id":2`)
}

func TestInvalidBodiesAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	short, long, when := w.AddField("short", "varchar"), w.AddField("long", "text"), w.AddField("when", "date")
	custom := func(code, value string) string {
		return fmt.Sprintf(`{"title":"t","custom_fields":{"%s":%s}}`, code, value)
	}
	text := func(n int) string { return `"` + strings.Repeat("é", n) + `"` }
	for body, reason := range map[string]string{
		`{"title":"t","nonsense":1}`:            "Parameter 'nonsense' is not allowed for this request",
		`{"title":"t","add_time":"2026-01-01"}`: "Parameter 'add_time' is not allowed",
		`{"title":5}`:                           "title: The value is not a valid 'string'",
		`{"title":null}`:                        "title:",
		`{}`:                                    "title: Required",
		`[]`:                                    "body:",
		`{"title":"t"}{"title":"u"}`:            "body:",
		`{"title":"t","stage_id":"5"}`:          "stage_id:",
		`{"title":"t","stage_id":99}`:           "stage_id:",
		`{"title":"t","stage_id":1,"pipeline_id":2}`:                      "stage_id:",
		`{"title":"t","visible_to":2}`:                                    "visible_to:",
		`{"title":"t","is_deleted":true}`:                                 "is_deleted:",
		`{"title":"t","lost_reason":"price"}`:                             "lost_reason:",
		`{"title":"t","status":"won","lost_time":"2026-01-01T00:00:00Z"}`: "lost_time:",
		`{"title":"t","close_time":"2026-01-01T00:00:00Z"}`:               "close_time:",
		`{"title":"t","probability":101}`:                                 "probability:",
		`{"title":"t","expected_close_date":"2026-01-01T00:00:00Z"}`:      "expected_close_date:",
		`{"title":"t","archive_time":"2026-01-01"}`:                       "archive_time:",
		`{"title":"t","person_id":7}`:                                     "person_id:",
		`{"title":"t","currency":"euro"}`:                                 "currency:",
		custom("title", `"x"`):                                            "custom_fields: Unknown key 'title'",
		custom(short, "5"):                                                short,
		custom(short, text(256)):                                          short,
		custom(long, text(65_001)):                                        long,
		custom(when, `"yesterday"`):                                       when,
	} {
		want(t, w.do(http.MethodPost, "/api/v2/deals", body), http.StatusBadRequest, "Validation failed: ", reason, `"code":"ERR_SCHEMA_VALIDATION_FAILED"`)
	}
	for _, body := range []string{
		custom(short, text(255)), custom(long, text(65_000)), custom(when, `"2026-11-23"`), custom(short, "null"),
		`{"title":"t","channel_id":"gistdeal","origin_id":"dropped"}`, `{"title":"t","pipeline_id":2}`,
		`{"title":"t","status":"lost","lost_reason":"price","probability":99.5,"person_id":null}`,
	} {
		want(t, w.do(http.MethodPost, "/api/v2/deals", body), http.StatusOK)
	}
	want(t, w.do(http.MethodPatch, "/api/v2/deals/1", `{"origin_id":"x"}`), http.StatusBadRequest, "origin_id")
	if n := w.Report().Deals; n != 7 {
		t.Errorf("%d deals, want 7", n)
	}
}

func TestInvalidQueriesAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	for _, query := range []string{
		"nonsense=1", "limit=501", "limit=0", "limit=x", "status=closed", "status=open,", "sort_by=title",
		"updated_since=2026-01-01T00:00:00.5Z", "updated_since=2026-01-01", "cursor=nonsense", "include_fields=custom_fields",
		"custom_fields=" + strings.Repeat("a,", 15) + "a", "ids=" + strings.Repeat("1,", 100) + "1", "owner_id=me", "ids=1,two", "limit=1&limit=2", "cursor=eyJpZCI6MX0",
	} {
		want(t, w.get("/api/v2/deals?"+query), http.StatusBadRequest, "ERR_SCHEMA_VALIDATION_FAILED")
	}
	for _, query := range []string{"limit=500", "status=open,won,lost,deleted", "updated_since=2026-01-01T00:00:00Z", "include_fields=notes_count"} {
		want(t, w.get("/api/v2/deals?"+query), http.StatusOK)
	}
	want(t, w.get("/api/v2/deals/archived?include_labels=true"), http.StatusBadRequest, "'include_labels' is not allowed")
	want(t, w.get("/api/v2/stages?pipeline_id=99"), http.StatusOK, `"data":[]`)
	want(t, w.get("/api/v2/stages?pipeline_id=2"), http.StatusOK, `"New"`, `"Done"`)
	want(t, w.get("/api/v2/pipelines"), http.StatusOK, `"Pipeline"`, `"Gists"`)
	want(t, w.get("/api/v2/pipelines?limit=1&sort_direction=desc"), http.StatusOK, `"Gists"`, `"next_cursor":"`)
	want(t, w.get("/api/v2/pipelines?pipeline_id=1"), http.StatusBadRequest)
	want(t, w.get("/api/v2/dealFields?include_fields=ui_visibility"), http.StatusOK)
	want(t, w.get("/api/v2/dealFields?sort_by=id"), http.StatusBadRequest)
	want(t, w.get("/api/v2/dealFields/title?include_fields=options"), http.StatusBadRequest)
	for _, request := range []string{
		"POST /api/v2/deals", "PATCH /api/v2/deals/1", "DELETE /api/v2/deals/1", "POST /api/v2/dealFields", "PATCH /api/v2/dealFields/title",
		"DELETE /api/v2/dealFields/title",
	} {
		method, path, _ := strings.Cut(request, " ")
		want(t, w.do(method, path+"?limit=1", `{"title":"t"}`), http.StatusBadRequest, "'limit' is not allowed")
	}
	want(t, w.get("/api/v2/nonsense"), http.StatusNotFound)
}

// readList reads a list of deals from a cursor, or from the start if it is "".
func readList(t *testing.T, w *world, path, cursor string) (deals []dealView, requests int) {
	t.Helper()
	for {
		page := decode[dealsResponse](t, w.get(path+cursor))
		deals = append(deals, page.Data...)
		requests++
		if page.Additional.Next == nil {
			return deals, requests
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Additional.Next)
	}
}

func TestCursorsVisitEachDealOnceInEveryOrder(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := unlimited()
	o.Now = c.now
	w := start(t, o)
	for n := range 25 {
		w.deal(title(n))
		c.advance(time.Duration(n%2) * time.Second) // two deals per second
	}
	c.advance(time.Second)
	w.do(http.MethodPatch, "/api/v2/deals/3", `{"title":"last changed"}`)
	for _, order := range []string{"id", "add_time", "update_time"} {
		deals, requests := readList(t, w, "/api/v2/deals?limit=7&sort_by="+order, "")
		ids := dealsResponse{Data: deals}.ids()
		if sorted := slices.Sorted(slices.Values(ids)); len(slices.Compact(sorted)) != 25 || requests != 4 {
			t.Errorf("sort_by=%s: %v in %d requests", order, ids, requests)
		}
		down, _ := readList(t, w, "/api/v2/deals?limit=7&sort_direction=desc&sort_by="+order, "")
		back := dealsResponse{Data: down}.ids()
		if slices.Reverse(back); !slices.Equal(ids, back) {
			t.Errorf("sort_by=%s: %v ascending, %v descending", order, ids, back)
		}
		if last := ids[len(ids)-1]; order == "update_time" && last != 3 {
			t.Errorf("the deal changed last is %d, want 3", last)
		}
	}
	next := decode[dealsResponse](t, w.get("/api/v2/deals?limit=7")).Additional.Next
	want(t, w.get("/api/v2/deals?limit=7&sort_by=add_time&cursor="+*next), http.StatusBadRequest, "cursor")
}

func TestDealsCreatedBetweenPagesShiftNothing(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	for n := range 4 {
		w.deal(title(n))
	}
	first := decode[dealsResponse](t, w.get("/api/v2/deals?limit=2"))
	w.DeleteDeal(1)
	w.deal(title(5))
	rest, _ := readList(t, w, "/api/v2/deals?limit=2", "&cursor="+*first.Additional.Next)
	if ids := (dealsResponse{Data: rest}).ids(); !slices.Equal(ids, []int64{3, 4, 5}) {
		t.Errorf("the rest is %v, want 3 4 5", ids)
	}
}

func TestListsFilterByStateAndTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := unlimited()
	o.Now = c.now
	w := start(t, o)
	for n := range 4 {
		w.deal(title(n))
	}
	c.advance(time.Minute)
	changed := c.now().Format(time.RFC3339)
	w.do(http.MethodPatch, "/api/v2/deals/2", `{"status":"won"}`)
	w.do(http.MethodPatch, "/api/v2/deals/3", `{"is_archived":true}`)
	w.do(http.MethodDelete, "/api/v2/deals/4", "")
	for path, ids := range map[string][]int64{
		"/deals?limit=100":                                 {1, 2},
		"/deals?status=open":                               {1},
		"/deals?status=open,won,lost,deleted":              {1, 2, 4},
		"/deals?status=won&updated_since=" + changed:       {2},
		"/deals?updated_until=" + changed:                  {1},
		"/deals?ids=2,3,99":                                {2},
		"/deals?pipeline_id=2":                             {},
		"/deals/archived?limit=100":                        {3},
		"/deals/archived?status=open,won,lost,deleted":     {3},
		"/deals/archived?status=won&sort_direction=desc":   {},
		"/deals/archived?updated_since=" + changed:         {3},
		"/deals/archived?updated_since=2027-01-01T00:00Z0": nil,
	} {
		g := w.get("/api/v2" + path)
		if ids == nil {
			want(t, g, http.StatusBadRequest)
			continue
		}
		if got := decode[dealsResponse](t, g).ids(); !slices.Equal(got, ids) {
			t.Errorf("%s: %v, want %v", path, got, ids)
		}
	}
	want(t, w.do(http.MethodPatch, "/api/v2/deals/3", `{"title":"x"}`), http.StatusForbidden)
	want(t, w.do(http.MethodPatch, "/api/v2/deals/3", `{"is_archived":false}`), http.StatusOK, `"is_archived":false`)
	c.advance(31 * 24 * time.Hour)
	if ids := decode[dealsResponse](t, w.get("/api/v2/deals?status=deleted")).ids(); len(ids) != 0 {
		t.Errorf("deals deleted a month ago: %v", ids)
	}
	want(t, w.get("/api/v2/deals/4"), http.StatusNotFound)
}

func TestNewDealsAppearLateInListsAndAtOnceByID(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := unlimited()
	o.Now, o.ListDelay = c.now, 30*time.Second
	w := start(t, o)
	id := w.deal(title(1))
	want(t, w.get(fmt.Sprint("/api/v2/deals/", id)), http.StatusOK)
	listed := func() int { return len(decode[dealsResponse](t, w.get("/api/v2/deals")).Data) }
	if n := listed(); n != 0 {
		t.Errorf("%d deals listed at once", n)
	}
	c.advance(29 * time.Second)
	if n := listed(); n != 0 {
		t.Errorf("%d deals listed too early", n)
	}
	c.advance(time.Second)
	if n := listed(); n != 1 {
		t.Errorf("%d deals listed after the delay, want 1", n)
	}
}

func TestTheBurstLimitCoversAnyTwoSeconds(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now})
	for n := range 20 {
		g := w.get("/v1/users/me")
		wantHeader(t, g, "X-RateLimit-Limit", "20", "X-RateLimit-Remaining", fmt.Sprint(19-n))
		c.advance(50 * time.Millisecond)
	}
	g := w.get("/v1/users/me") // 1 s after the first
	want(t, g, http.StatusTooManyRequests)
	wantHeader(t, g, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1")
	c.advance(time.Second)
	want(t, w.get("/v1/users/me"), http.StatusOK)
	want(t, w.get("/v1/users/me"), http.StatusTooManyRequests)
	r := w.Report()
	if r.Limited != 2 || r.PeakPer2s != 22 {
		t.Errorf("%d limited, peak %d, want 2 and 22", r.Limited, r.PeakPer2s)
	}
}

func TestASpentDailyQuotaRefusesRequestsUntilMidnightUTC(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Now: c.now, DailyTokens: 15})
	wantHeader(t, w.get("/api/v2/deals"), "X-Daily-RateLimit-Token-Limit", "15", "X-Daily-RateLimit-Token-Remaining", "5")
	g := w.do(http.MethodPost, "/api/v2/deals", title(1))
	want(t, g, http.StatusOK)
	wantHeader(t, g, "X-Daily-RateLimit-Token-Remaining", "0", "X-Daily-Requests-Left", "9999")
	g = w.do(http.MethodPost, "/api/v2/deals", title(2))
	want(t, g, http.StatusTooManyRequests)
	wantHeader(t, g, "X-Daily-RateLimit-Token-Remaining", "0", "X-RateLimit-Remaining", "18")
	c.advance(12 * time.Hour)
	want(t, w.do(http.MethodPost, "/api/v2/deals", title(2)), http.StatusOK)
	w.Set(func(o *sim.Options) { o.NoRateHeaders = true })
	wantHeader(t, w.get("/v1/users/me"), "X-RateLimit-Limit", "", "X-Daily-RateLimit-Token-Remaining", "")
}

func TestAWrongKeyGetsThe401OfTheGateway(t *testing.T) {
	t.Parallel()
	w := start(t, sim.Options{Token: "right", CompanyID: 42, CompanyDomain: "acme"})
	g := w.get("/v1/users/me")
	want(t, g, http.StatusUnauthorized, `"errorCode":401`, `"error":"unauthorized access"`)
	wantHeader(t, g, "X-401-By-Gw", "true")
	want(t, w.get("/api/v2/deals", "X-Api-Token", ""), http.StatusUnauthorized)
	for _, path := range []string{"/v1/users/me", "/api/v1/users/me"} {
		want(t, w.get(path, "X-Api-Token", "right"), http.StatusOK, `"company_id":42`, `"company_domain":"acme"`, "company_name")
	}
}

func TestTwoFieldsMayHaveOneName(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	type created struct {
		Data struct {
			Code string `json:"field_code"`
		} `json:"data"`
	}
	var codes []string
	for range 2 {
		g := w.do(http.MethodPost, "/api/v2/dealFields", `{"field_name":"Gist ID","field_type":"varchar"}`)
		want(t, g, http.StatusOK, `"is_custom_field":true`, `"field_name":"Gist ID"`)
		codes = append(codes, decode[created](t, g).Data.Code)
	}
	if len(codes[0]) != 40 || codes[0] == codes[1] {
		t.Errorf("codes %v", codes)
	}
	want(t, w.get("/api/v2/dealFields?limit=500"), http.StatusOK, codes[0], codes[1], `"field_code":"title"`)
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", `{"field_name":"x","field_type":"url"}`), http.StatusBadRequest, "field_type")
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", `{"field_name":"x"}`), http.StatusBadRequest, "field_type: Required")
}

func TestADealWithADeletedFieldIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	code, other := w.AddField("Gist ID", "varchar"), w.AddField("Other", "varchar")
	body := `{"title":"t","custom_fields":{"` + code + `":"abc"}}`
	id := w.deal(body)
	selected := decode[dealResponse](t, w.get("/api/v2/deals/1?custom_fields="+code)).Data
	if len(selected.CustomFields) != 1 || selected.CustomFields[code] != "abc" {
		t.Errorf("one field selected: %v", selected.CustomFields)
	}
	want(t, w.get("/api/v2/deals/1"), http.StatusOK, `"`+other+`":null`)
	w.DeleteField(code)
	want(t, w.do(http.MethodPost, "/api/v2/deals", body), http.StatusBadRequest, "Unknown key '"+code+"'")
	if g := w.get("/api/v2/deals/1"); strings.Contains(g.text, code) {
		t.Error("a deleted field is still shown")
	}
	if deals := w.Report().ByGist["abc"]; !slices.Equal(deals, []int64{id}) {
		t.Errorf("the report lacks the deal: %v", deals)
	}
}

func TestListOf5000DealsIsWalkedInPagesOf500(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	const deals = 5_000
	for n := range deals {
		w.SeedDeal("octocat", fmt.Sprint(n), "")
	}
	seen, requests := readList(t, w, "/api/v2/deals?limit=500&custom_fields=none", "")
	if len(seen) != deals || requests != 10 {
		t.Errorf("%d deals in %d requests", len(seen), requests)
	}
}
