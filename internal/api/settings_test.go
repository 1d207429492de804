package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/testing/testenv"
)

type settingList struct {
	Settings []struct {
		Name  gistdeal.Setting
		Value any
	}
}

func (l settingList) value(name gistdeal.Setting) any {
	for _, s := range l.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return "none"
}

// pipedrive sends a request to the simulated Pipedrive.
func (w *world) pipedrive(path string) string {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, http.NoBody)
	r.Header.Set("x-api-token", "secret-pipedrive")
	answer := httptest.NewRecorder()
	w.sim.ServeHTTP(answer, r)
	return answer.Body.String()
}

func TestTheAccountsAreShownAsTheLeaderSawThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var a gistdeal.Accounts
	testenv.Eventually(w.t, "both accounts are known", func() bool {
		w.get("/account", &a)
		return a.GitHub.Login != "" && len(a.Pipedrive.Fields) == 4
	})
	if !a.GitHub.Token || a.GitHub.Problem != "" || a.Pipedrive.Company == "" || a.Pipedrive.User == "" || a.Pipedrive.Problem != "" || a.CheckedAt == nil {
		t.Errorf("%+v, want both accepted", a)
	}
	if len(a.Pipelines) != 2 || a.Pipelines[1].Name != "Gists" || strings.Join(a.Pipelines[1].Stages, ",") != "New,Done" {
		t.Errorf("%+v, want the pipelines of Pipedrive with their stages", a.Pipelines)
	}
	if len(a.Owners) != 4 || a.Owners[1] != "Ann Admin" {
		t.Errorf("%q, want the possible owners of deals", a.Owners)
	}
}

func TestSettingsAreCheckedAgainstTheAccountAndApplyToNewDeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	var list settingList
	put := func(body string) reply { return w.send(http.MethodPut, "/settings", body) }
	w.read(put(`{"pipeline":"Gists","stage":"Done","owner":"Ann Admin","backfill":"2024-01-31"}`), http.StatusOK, &list)
	if list.value(gistdeal.SettingPipeline) != "Gists" || list.value(gistdeal.SettingStage) != "Done" || list.value(gistdeal.SettingBackfill) != "2024-01-31" {
		t.Fatalf("%+v, want what was chosen", list)
	}
	for body, words := range map[string]string{
		`{"pipeline":"Nowhere"}`:                 `there is no pipeline "Nowhere": choose one of Pipeline, Gists`,
		`{"pipeline":"Pipeline","stage":"Done"}`: `there is no stage "Done"`,
		`{"pipeline":"Pipeline"}`:                `there is no stage "Done"`,
		`{"owner":"Leo Left"}`:                   `there is no owner "Leo Left": choose one of Sim User`,
		`{"backfill":"some"}`:                    "want all, none or a date",
		`{"stage":"New","approval_threshold":5}`: "GISTDEAL_APPROVAL_THRESHOLD",
		`{"daily_limit":"5"}`:                    "expected integer",
		`{"daily_limit":-1}`:                     "expected number >= 0",
	} {
		r := put(body)
		w.refused(r, http.StatusBadRequest, "invalid")
		if !strings.Contains(strings.ReplaceAll(r.body, `\"`, `"`), words) {
			t.Errorf("%s: %s, want %q", body, r.body, words)
		}
	}
	w.get("/settings", &list)
	if list.value(gistdeal.SettingStage) != "Done" {
		t.Errorf("%+v: a refused setting changed something", list)
	}

	testenv.Eventually(w.t, "new deals use the target", func() bool {
		var a gistdeal.Accounts
		w.get("/account", &a)
		return a.Pipedrive.Stage == "Done"
	})
	w.track(2, "bob") // Two gists are older than the tracking and get no deal by the policy.
	w.sim.MakeGists("alice", 1)
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	var deals struct{ Deals []admin.Deal }
	testenv.Eventually(w.t, "the new gist's deal", func() bool {
		w.get("/deals?state=created", &deals)
		return len(deals.Deals) == 2
	})
	newest := max(deals.Deals[0].DealID, deals.Deals[1].DealID)
	if got := w.pipedrive(fmt.Sprintf("/api/v2/deals/%d", newest)); !strings.Contains(got, `"stage_id":7,`) || !strings.Contains(got, `"owner_id":102,`) {
		t.Errorf("the new deal is not of owner 102 (Ann) in stage 7 (Done): %s", got)
	}

	w.read(put(`{"pipeline":null,"stage":null,"owner":null,"backfill":null}`), http.StatusOK, &list)
	if list.value(gistdeal.SettingPipeline) != "" || list.value(gistdeal.SettingBackfill) != "all" {
		t.Errorf("%+v, want the configured values again", list)
	}
}

func TestNumbersOfSettingsAreNumbers(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var list settingList
	w.get("/settings", &list)
	if list.value(gistdeal.SettingApprovalThreshold) != 0.0 || list.value(gistdeal.SettingBackfill) != "all" {
		t.Errorf("%+v, want the number 0 and the text all", list)
	}
	w.read(w.send(http.MethodPut, "/settings", `{"daily_limit":7}`), http.StatusOK, &list)
	if list.value(gistdeal.SettingDailyLimit) != 7.0 {
		t.Errorf("%+v, want the number 7", list)
	}
	w.read(w.send(http.MethodPut, "/settings", `{"daily_limit":null}`), http.StatusOK, &list)
	if list.value(gistdeal.SettingDailyLimit) != 3.0 {
		t.Errorf("%+v, want the configured number 3", list)
	}
}

func TestSettingsAreChangedOnlyIfTheyAreAsTheyWereRead(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	read := w.send(http.MethodGet, "/settings", "").header.Get("ETag")
	put := func(body, tag string) reply { return w.send(http.MethodPut, "/settings", body, "If-Match: "+tag) }
	first := put(`{"daily_limit":5}`, read)
	w.read(first, http.StatusOK, nil)
	w.refused(put(`{"daily_limit":6}`, read), http.StatusPreconditionFailed, "precondition-failed")
	// The tag of an answer to GET is weak, because that is compressed.
	if got := strings.TrimPrefix(w.send(http.MethodGet, "/settings", "").header.Get("ETag"), "W/"); got != first.header.Get("ETag") || "W/"+got == read {
		t.Errorf("the ETag is %s, the answer to the change had %s, and before it was %s", got, first.header.Get("ETag"), read)
	}
	w.read(put(`{"daily_limit":7}`, first.header.Get("ETag")), http.StatusOK, nil)
	w.read(put(`{"daily_limit":8}`, "*"), http.StatusOK, nil)
	w.read(w.send(http.MethodPut, "/settings", `{"daily_limit":9}`), http.StatusOK, nil)
}
