package sim_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"gistdeal/internal/sim"
)

func TestADeletedFieldInABodyIsRefusedOrIgnored(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	kept, deleted := w.AddField("kept", "varchar"), w.AddField("deleted", "varchar")
	w.DeleteField(deleted)
	body := `{"title":"t","custom_fields":{"` + kept + `":"a","` + deleted + `":"b"}}`
	want(t, w.do(http.MethodPost, deals, body), http.StatusBadRequest, "custom_fields: Unknown key '"+deleted+"'")
	w.Set(func(o *sim.Options) { o.IgnoreDeletedFields = true })
	g := w.do(http.MethodPost, deals, body)
	want(t, g, http.StatusOK)
	if custom := decode[dealResponse](t, g).Data.CustomFields; len(custom) != 1 || custom[kept] != "a" {
		t.Errorf("custom fields %v, want only the kept one", custom)
	}
	want(t, w.do(http.MethodPost, deals, `{"title":"t","custom_fields":{"nonsense":"b"}}`), http.StatusBadRequest, "Unknown key 'nonsense'")
}

func TestADeletedDealIsListedFor30Days(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} {
		c := newClock()
		o := unlimited()
		o.Now, o.KeepUpdateTime = c.now, keeps
		w := start(t, o)
		w.deal(title(1))
		c.advance(40 * 24 * time.Hour)
		deleted := c.now()
		want(t, w.do(http.MethodDelete, deals+"/1", ""), http.StatusOK)
		listed := func(query string) bool { return len(decode[dealsResponse](t, w.get(deals+"?"+query)).Data) > 0 }
		if listed("status=open,won,lost") || listed("ids=1") || !listed("status=deleted") || !listed("status=open,deleted&ids=1") {
			t.Errorf("keeps its time %t: a deleted deal is listed only with its status", keeps)
		}
		if listed("status=deleted&updated_since="+deleted.Format(time.RFC3339)) == keeps {
			t.Errorf("keeps its time %t: wrong update_time", keeps)
		}
		c.advance(30*24*time.Hour - time.Second)
		if !listed("status=deleted") {
			t.Errorf("keeps its time %t: not listed for 30 days", keeps)
		}
		c.advance(time.Second)
		if listed("status=deleted") {
			t.Errorf("keeps its time %t: listed for more than 30 days", keeps)
		}
		want(t, w.get(deals+"/1"), http.StatusNotFound)
	}
}

func TestAnOldCursorIsRefused(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := unlimited()
	o.Now, o.CursorLife = c.now, time.Hour
	w := start(t, o)
	for n := range 3 {
		w.deal(title(n))
	}
	first := decode[dealsResponse](t, w.get(deals+"?limit=1"))
	_, next := search(t, w, "term=deal&limit=1")
	c.advance(time.Hour - time.Second)
	rest, _ := readList(t, w, deals+"?limit=1", "&cursor="+*first.Additional.Next)
	if ids := (dealsResponse{Data: rest}).ids(); !slices.Equal(ids, []int64{2, 3}) {
		t.Errorf("deals %v after the first page", ids)
	}
	c.advance(time.Second)
	for _, path := range []string{"?limit=1&cursor=" + *first.Additional.Next, "/search?term=deal&limit=1&cursor=" + next} {
		want(t, w.get(deals+path), http.StatusBadRequest, "cursor: The value is not a valid cursor")
	}
}

func TestThePlansLimitsAreRefusedWithTheirCodes(t *testing.T) {
	t.Parallel()
	o := unlimited()
	o.MaxOpenDeals, o.MaxCustomFields = 2, 1
	w := start(t, o)
	w.deal(title(1))
	w.deal(title(2))
	want(t, w.do(http.MethodPost, deals, title(3)), http.StatusForbidden, `"code":"feature_capping_deals_limit"`)
	w.ArchiveDeal(1)
	want(t, w.do(http.MethodPost, deals, title(3)), http.StatusOK)
	want(t, w.do(http.MethodPost, deals, title(4)), http.StatusForbidden)
	w.DeleteDeal(2)
	want(t, w.do(http.MethodPost, deals, title(4)), http.StatusOK)
	field := `{"field_name":"Gist ID","field_type":"varchar"}`
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", field), http.StatusOK)
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", field), http.StatusForbidden, `"code":"feature_capping_custom_fields_limit"`)
}

func TestPOSTsOverTheLimitOfTheDayAreRefused(t *testing.T) {
	t.Parallel()
	c := newClock()
	w := start(t, sim.Options{Seed: 1, Now: c.now, DailyPosts: 2})
	for left := range 2 {
		wantHeader(t, w.do(http.MethodPost, deals, title(1)), "X-Daily-Requests-Left", strconv.Itoa(1-left))
	}
	g := w.do(http.MethodPost, deals, title(1))
	want(t, g, http.StatusTooManyRequests)
	wantHeader(t, g, "X-Daily-Requests-Left", "0", "X-RateLimit-Remaining", "17")
	want(t, w.do(http.MethodPatch, deals+"/1", title(2)), http.StatusOK)
	want(t, w.get(deals), http.StatusOK)
	if r := w.Report(); r.Deals != 2 || r.Limited != 1 {
		t.Errorf("%d deals and %d refused requests, want 2 and 1", r.Deals, r.Limited)
	}
	c.advance(12 * time.Hour)
	want(t, w.do(http.MethodPost, deals, title(1)), http.StatusOK)
}
