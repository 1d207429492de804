package pipedrive_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

// eachDeal hands every deal since then to each, to the last or the first error.
func eachDeal(ctx context.Context, c *pipedrive.Client, since time.Time, each func(gistdeal.RemoteDeal)) error {
	for d, err := range c.Deals(ctx, &gistdeal.DealList{Since: since, ArchivedSince: since}) {
		if err != nil {
			return err
		}
		each(d)
	}
	return nil
}

// deals lists all deals since a time.
func (w world) deals(t *testing.T, since time.Time) (all []gistdeal.RemoteDeal) {
	t.Helper()
	if err := eachDeal(t.Context(), w.client, since, func(d gistdeal.RemoteDeal) { all = append(all, d) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDealsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	const n = 1001
	for i := range n {
		w.SeedDeal("octocat", fmt.Sprintf("a%04d", i), "")
	}
	before := w.Report().Requests // of Prepare
	all := w.deals(t, time.Time{})
	for i, d := range all {
		if d.ID != int64(i+1) || d.GistID != fmt.Sprintf("a%04d", i) {
			t.Fatalf("deal %d is %+v", i, d)
		}
	}
	lists, archived := w.requests(listDeals)-before[listDeals], w.requests(listDeals+"/archived")-before[listDeals+"/archived"]
	if len(all) != n || lists != 3 || archived != 1 {
		t.Errorf("%d deals in %d and %d requests", len(all), lists, archived)
	}
}

func TestEditedDealsAreListedToo(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	before := time.Now().Add(-time.Second)
	created := map[string]int64{}
	for _, id := range []string{"open", "won", "lost", "deleted", "archived", "both"} {
		created[id] = w.mustCreate(t, gistdeal.Draft{GistID: id, Login: "octocat"})
	}
	for _, status := range []string{"won", "lost"} {
		patch := httptest.NewRequest(http.MethodPatch, fmt.Sprint("/api/v2/deals/", created[status]), strings.NewReader(fmt.Sprintf(`{"status":%q}`, status)))
		patch.Header.Set("x-api-token", token)
		answer := httptest.NewRecorder()
		if w.ServeHTTP(answer, patch); answer.Code != http.StatusOK {
			t.Fatal(answer.Body)
		}
	}
	w.ArchiveDeal(created["archived"])
	w.ArchiveDeal(created["both"])
	w.DeleteDeal(created["both"])
	w.DeleteDeal(created["deleted"])
	listed := map[string]int64{}
	for _, d := range w.deals(t, before) {
		listed[d.GistID] = d.ID
		archived := d.GistID == "archived" || d.GistID == "both"
		if gone := d.GistID == "deleted" || d.GistID == "both"; d.Deleted != gone || d.Archived != archived || !d.Exact || d.CreatorID != 101 || d.AddedAt.Before(before.Truncate(time.Second)) {
			t.Errorf("%+v", d)
		}
	}
	if diff := cmp.Diff(created, listed); diff != "" {
		t.Error(diff)
	}
}

func TestADealIsReadAndDeletedByItsID(t *testing.T) {
	t.Parallel()
	for _, goneIs404 := range []bool{false, true} {
		w := prepared(t, sim.Options{DeletedDeal404: goneIs404}, pipedrive.Options{})
		id := w.mustCreate(t, hello)
		d, err := w.client.Deal(t.Context(), id)
		if err != nil || d.ID != id || d.GistID != hello.GistID || !d.Exact || d.Deleted {
			t.Errorf("%+v, %v", d, err)
		}
		if err := w.client.DeleteDeal(t.Context(), id); err != nil {
			t.Error(err)
		}
		switch d, err := w.client.Deal(t.Context(), id); {
		case goneIs404:
			wantKind(t, err, gistdeal.NotFound, "deal 1")
		case err != nil || !d.Deleted:
			t.Errorf("a deleted deal: %+v, %v", d, err)
		}
		wantKind(t, w.client.DeleteDeal(t.Context(), id), gistdeal.NotFound, "delete deal 1")
		_, err = w.client.Deal(t.Context(), 99)
		wantKind(t, err, gistdeal.NotFound, "deal 99")
	}
}

func TestDealsSinceATimeAreRequestedInWholeSeconds(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{})
	w.SeedDeal("octocat", "0ad", "")
	id := w.mustCreate(t, hello)
	since := time.Now().Add(-time.Hour).Truncate(time.Second).Add(999_999_999).In(time.FixedZone("", -3*3600))
	before := len(w.Report().RequestLog)
	got := w.deals(t, since)
	if len(got) != 1 || got[0].ID != id {
		t.Errorf("got %+v, want deal %d", got, id)
	}
	for _, seen := range w.Report().RequestLog[before:] {
		if !strings.HasPrefix(seen.Path, "/api/v2/deals?") && !strings.HasPrefix(seen.Path, "/api/v2/deals/archived?") {
			continue
		}
		u, err := url.Parse(seen.Path)
		if err != nil {
			t.Fatal(err)
		}
		if want := since.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05Z"); u.Query().Get("updated_since") != want {
			t.Errorf("%s, want updated_since=%s", seen.Path, want)
		}
	}
}

func TestTheGistIsIdentifiedByItsIDOrItsURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		id, url string // as JSON; "" is absent
		want    string
		exact   bool
	}{
		{id: `"aa5a"`, url: `"https://gist.github.com/octocat/bb6b"`, want: "aa5a", exact: true},
		{id: `" aa5a\n"`, want: "aa5a", exact: true},
		{id: `null`, url: `"https://gist.github.com/octocat/bb6b"`, want: "bb6b"},
		{id: `""`, url: `"https://gist.github.com/octocat/bb6b/"`, want: "bb6b"},
		{id: `"  "`, url: `" https://gist.github.com/octocat/bb6b?x#file-y "`, want: "bb6b"},
		{url: `"https://gist.github.com/octocat/bb6b"`, want: "bb6b"},
		{id: `{"value":"aa5a"}`, url: `"https://gist.github.com/octocat/bb6b"`, want: "bb6b"},
		{id: `7`},
		{id: `"later form"`, url: `"https://gist.github.com/octocat/later form"`, want: "later form", exact: true},
		{id: `"n/a"`, url: `"https://gist.github.com/octocat/bb6b"`, want: "bb6b"},
		{id: `"n/a"`, url: `"https://gist.github.com/octocat"`},
		{id: `"octocat"`, url: `"https://gist.github.com/octocat"`},
		{url: `"https://gist.github.com/octocat"`},
		{id: `null`, url: `null`},
		{url: `"https://example.com/octocat/bb6b"`},
		{},
	}
	var items, want []string
	for i, tt := range tests {
		fields := []string{`"other":{"value":1}`}
		if tt.id != "" {
			fields = append(fields, fmt.Sprintf("%q:%s", pipedrive.AssumedCode(pipedrive.FieldGistID), tt.id))
		}
		if tt.url != "" {
			fields = append(fields, fmt.Sprintf("%q:%s", pipedrive.AssumedCode(pipedrive.FieldAccessURL), tt.url))
		}
		items = append(items, fmt.Sprintf(`{"id":%d,"custom_fields":{%s}}`, i+1, strings.Join(fields, ",")))
		if tt.want != "" {
			want = append(want, fmt.Sprint(i+1, tt.want, tt.exact))
		}
	}
	items = append(items, `{"id":98}`, `{"id":99,"custom_fields":null}`)
	mux := http.NewServeMux()
	mux.Handle(listDeals, reply(200, `{"success":true,"data":[`+strings.Join(items, ",")+`]}`))
	mux.Handle(listDeals+"/archived", reply(200, `{"success":true,"data":null,"additional_data":null}`))
	var got []string
	if err := listOf(t, mux, func(d gistdeal.RemoteDeal) { got = append(got, fmt.Sprint(d.ID, d.GistID, d.Exact)) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// listOf lists the deals of a server that is not the simulator.
func listOf(t *testing.T, h http.Handler, each func(gistdeal.RemoteDeal)) error {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := client(t, server.URL, pipedrive.Options{})
	c.Assume()
	return eachDeal(t.Context(), c, time.Time{}, each)
}

func TestTimesAreReadInBothFormats(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 7, 1, 5, 46, 33, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`"2026-07-01T05:46:33Z"`: want, `"2026-07-01T05:46:33.000Z"`: want, `"2026-07-01 05:46:33"`: want,
		`"2026-07-01T08:46:33+03:00"`: want, `""`: {}, `null`: {}, `"yesterday"`: {},
	} {
		item := fmt.Sprintf(`{"id":7,"add_time":%s,"custom_fields":{%q:"aa5a"}}`, text, pipedrive.AssumedCode(pipedrive.FieldGistID))
		err := listOf(t, reply(200, `{"success":true,"data":[`+item+`]}`), func(d gistdeal.RemoteDeal) {
			if !d.AddedAt.Equal(want) {
				t.Errorf("%s was read as %v", text, d.AddedAt)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAListWithAFailedPageIsAnError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault sim.Fault
		want  gistdeal.Kind
	}{
		{"the second page", sim.Fault{Match: listDeals, After: 1, Kind: "error-before"}, gistdeal.Temporary},
		{"the archived ones", sim.Fault{Match: listDeals + "/archived", Kind: "error-before"}, gistdeal.Temporary},
		{"dropped", sim.Fault{Match: listDeals, After: 1, Kind: "drop-before", Times: 10}, gistdeal.Temporary},
		{"truncated", sim.Fault{Match: listDeals, Kind: "truncate"}, gistdeal.Temporary},
		{"limited", sim.Fault{Match: listDeals, After: 1, Kind: "limit"}, gistdeal.Limited},
		{"a page of a gateway", sim.Fault{Match: listDeals, After: 1, Kind: "html403"}, gistdeal.Limited},
		{"a refused key", sim.Fault{Match: listDeals, After: 1, Kind: "unauthorized"}, gistdeal.Unauthorized},
		{"a refused parameter", sim.Fault{Match: listDeals, Kind: "invalid"}, gistdeal.Invalid},
		{"no such list", sim.Fault{Match: listDeals + "/archived", Kind: "answer", Status: 404}, gistdeal.NotFound},
		{"no success", sim.Fault{Match: listDeals, Kind: "answer", Body: refusal("no")}, gistdeal.Temporary},
		{"null", sim.Fault{Match: listDeals, Kind: "answer", Body: "null"}, gistdeal.Temporary},
		{"a page of HTML", sim.Fault{Match: listDeals, Kind: "answer", Body: "<html>", ContentType: "text/html"}, gistdeal.Temporary},
		{"data of another form", sim.Fault{Match: listDeals, Kind: "answer", Body: `{"success":true,"data":{"id":1}}`}, gistdeal.Temporary},
		{"an id of another form", sim.Fault{Match: listDeals, Kind: "answer", Body: `{"success":true,"data":[{"id":"1"}]}`}, gistdeal.Temporary},
		{"a cursor of another form", sim.Fault{Match: listDeals, Kind: "answer", Body: `{"success":true,"data":[],"additional_data":{"next_cursor":7}}`}, gistdeal.Temporary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := prepared(t, sim.Options{}, pipedrive.Options{})
			for i := range 501 {
				w.SeedDeal("octocat", fmt.Sprintf("a%04d", i), "")
			}
			w.AddFault(tt.fault)
			err := eachDeal(t.Context(), w.client, time.Time{}, func(gistdeal.RemoteDeal) {})
			wantKind(t, err, tt.want, "/api/v2/deals")
		})
	}
}

func TestARepeatedCursorEndsTheList(t *testing.T) {
	t.Parallel()
	for _, circle := range [][]string{{"a"}, {"a", "b"}} {
		var asked []string
		err := listOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next := circle[len(asked)%len(circle)]
			asked = append(asked, r.URL.Query().Get("cursor"))
			if len(asked) > 10 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			reply(200, fmt.Sprintf(`{"success":true,"data":[],"additional_data":{"next_cursor":%q}}`, next))(w, r)
		}), func(gistdeal.RemoteDeal) {})
		wantKind(t, err, gistdeal.Temporary, "same cursor")
		if want := slices.Concat([]string{""}, circle); !slices.Equal(asked, want) {
			t.Errorf("requested %q, want %q", asked, want)
		}
	}
}

func TestAnEmptyPageIsNotTheLastPage(t *testing.T) {
	t.Parallel()
	item := fmt.Sprintf(`{"id":7,"custom_fields":{%q:"aa5a"}}`, pipedrive.AssumedCode(pipedrive.FieldGistID))
	listed := 0
	mux := http.NewServeMux()
	mux.HandleFunc(listDeals, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			reply(200, `{"success":true,"data":[],"additional_data":{"next_cursor":"x"}}`)(w, r)
			return
		}
		reply(200, `{"success":true,"data":[`+item+`],"additional_data":{"next_cursor":""}}`)(w, r)
	})
	mux.Handle(listDeals+"/archived", reply(200, `{"success":true,"data":[]}`))
	if err := listOf(t, mux, func(gistdeal.RemoteDeal) { listed++ }); err != nil || listed != 1 {
		t.Errorf("%d deals, %v", listed, err)
	}
}

func TestDealsAreNotListedBeforePrepare(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	wantKind(t, eachDeal(t.Context(), w.client, time.Time{}, nil), gistdeal.Temporary, "fields")
}
