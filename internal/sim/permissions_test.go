package sim_test

import (
	"net/http"
	"strings"
	"testing"

	"gistdeal/internal/sim"
)

// as returns the headers of a request with a key.
func as(key string) []string {
	return append([]string{"X-Api-Token", key}, jsonHeader...)
}

// team is an account with the keys of an admin and of a regular user.
func team(t *testing.T, regular sim.Key) *world {
	t.Helper()
	o := unlimited()
	regular.User, regular.Regular = "ann@example.com", true
	o.Keys = map[string]sim.Key{"regular": regular}
	return start(t, o)
}

func TestARegularUserCannotAddFieldsOrDeleteDeals(t *testing.T) {
	t.Parallel()
	w := team(t, sim.Key{})
	const field = `{"field_name":"Gist","field_type":"text"}`
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", field, as("regular")...), http.StatusForbidden)
	want(t, w.do(http.MethodPost, "/api/v2/dealFields", field, as("admin")...), http.StatusOK)
	want(t, w.do(http.MethodPost, deals, title(1), as("regular")...), http.StatusOK)
	want(t, w.do(http.MethodDelete, deals+"/1", "", as("regular")...), http.StatusForbidden)
	r := w.get("/v1/users/102/permissions", as("regular")...)
	want(t, r, http.StatusOK)
	for _, part := range []string{`"can_add_deals":true`, `"can_add_custom_fields":false`, `"can_change_visibility_of_items":true`} {
		if !strings.Contains(r.text, part) {
			t.Errorf("no %s in %s", part, r.text)
		}
	}
	want(t, w.get("/v1/users/101/permissions", as("regular")...), http.StatusForbidden)
}

func TestADealBelongsToTheUserOfItsKey(t *testing.T) {
	t.Parallel()
	w := team(t, sim.Key{})
	r := w.do(http.MethodPost, deals, title(1), as("regular")...)
	for _, part := range []string{`"creator_user_id":102`, `"owner_id":102`} {
		if !strings.Contains(r.text, part) {
			t.Errorf("no %s in %s", part, r.text)
		}
	}
	if me := w.get("/v1/users/me", as("regular")...); !strings.Contains(me.text, "ann@example.com") {
		t.Errorf("the user of the key is %s", me.text)
	}
}

func TestEachPermissionCanBeTaken(t *testing.T) {
	t.Parallel()
	visible := strings.TrimSuffix(title(1), "}") + `,"visible_to":1}`
	for lacked, body := range map[string]string{"can_use_api": title(1), "can_add_deals": title(1), "can_change_visibility_of_items": visible} {
		w := team(t, sim.Key{})
		want(t, w.do(http.MethodPost, deals, body, as("regular")...), http.StatusOK)
		w.Set(func(o *sim.Options) {
			o.Keys = map[string]sim.Key{"regular": {User: "ann@example.com", Regular: true, Cannot: []string{lacked}}}
		})
		want(t, w.do(http.MethodPost, deals, body, as("regular")...), http.StatusForbidden)
	}
}

func TestHiddenDealsLookAbsentToARegularUser(t *testing.T) {
	t.Parallel()
	w := team(t, sim.Key{})
	for _, body := range []string{`{"title":"of all"}`, `{"title":"private","visible_to":1}`, `{"title":"elsewhere","pipeline_id":2}`} {
		want(t, w.do(http.MethodPost, deals, body, as("admin")...), http.StatusOK)
	}
	w.HidePipeline("Gists")
	list := w.get(deals, as("regular")...).text
	if !strings.Contains(list, "of all") || strings.Contains(list, "private") || strings.Contains(list, "elsewhere") {
		t.Errorf("the list is %s", list)
	}
	if pipelines := w.get("/api/v2/pipelines", as("regular")...).text; strings.Contains(pipelines, "Gists") {
		t.Errorf("the hidden pipeline is listed: %s", pipelines)
	}
	want(t, w.get(deals+"/1", as("regular")...), http.StatusOK)
	want(t, w.get(deals+"/2", as("regular")...), http.StatusNotFound)
	want(t, w.get(deals+"/3", as("regular")...), http.StatusForbidden)
	want(t, w.get(deals+"/3", as("admin")...), http.StatusOK)
	w.HideDeal(1)
	want(t, w.get(deals+"/1", as("regular")...), http.StatusOK) // It is the regular user's now.
	want(t, w.do(http.MethodPatch, deals+"/1", `{"owner_id":101}`, as("admin")...), http.StatusOK)
	want(t, w.get(deals+"/1", as("regular")...), http.StatusNotFound)
}

func TestOnlyPlansWithVisibilityGroupsHaveAllValues(t *testing.T) {
	t.Parallel()
	const company = `{"title":"t","visible_to":7}`
	w := start(t, unlimited())
	want(t, w.do(http.MethodPost, deals, company, jsonHeader...), http.StatusBadRequest)
	w.Set(func(o *sim.Options) { o.VisibilityGroups = true })
	want(t, w.do(http.MethodPost, deals, company, jsonHeader...), http.StatusOK)
}
