package api_test

import (
	"net/http"
	"strconv"
	"testing"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAnAuditIsRequestedAndItsReportRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.AddUser(sim.User{Login: "alice", Gists: []sim.Gist{{ID: "aa01"}}})
	w.read(w.send(http.MethodPost, "/users", `{"users":["alice"],"backfill":"all"}`), http.StatusOK, nil)
	testenv.Eventually(t, "the deal exists", func() bool { return w.sim.Report().Deals == 1 })
	report := w.audited(`{}`)
	if report.Problem != "" || report.Gists != 1 || report.Deals != 1 || report.Different() != 0 {
		t.Errorf("%+v, want one gist with its deal", report)
	}
	second := w.sim.SeedDeal("alice", "aa01", "by hand")
	report = w.audited(`{"repair":true}`)
	if len(report.Discrepancies) != 1 || report.Discrepancies[0].Kind != gistdeal.DiscrepancyDuplicate || report.Counts["duplicate"] != 1 {
		t.Errorf("%+v, want the duplicate", report)
	}
	if report = w.audited(`{"recreate":"aa01"}`); report.Problem == "" {
		t.Error("a deal that exists was recreated")
	}
	w.audited(`{"delete_duplicate":` + strconv.FormatInt(second, 10) + `}`)
	if got := w.sim.Report().ByGist["aa01"]; len(got) != 1 {
		t.Errorf("the gist has the deals %v, want one", got)
	}
}

// audited requests an audit and returns its report.
func (w *world) audited(body string) (report gistdeal.Audit) {
	w.t.Helper()
	w.read(w.send(http.MethodPost, "/audits", body), http.StatusAccepted, &report)
	path := "/audits/" + report.ID
	testenv.Eventually(w.t, "the audit ends", func() bool {
		w.get(path, &report)
		return !report.EndedAt.IsZero()
	})
	return report
}

func TestAnAuditThatNoLeaderCarriesOutIsPending(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var report gistdeal.Audit
	for range 2 {
		r := w.send(http.MethodPost, "/audits", `{"archived":true}`, "Idempotency-Key: one")
		w.read(r, http.StatusAccepted, &report)
		w.get(r.header.Get("Location")[len("/api/v1"):], &report)
		if !report.EndedAt.IsZero() || report.RequestedAt.IsZero() || report.Counts == nil || report.Discrepancies == nil {
			t.Errorf("%+v, want a pending audit with empty lists", report)
		}
	}
	if _, pending, _, err := w.db.NextAudit(t.Context()); err != nil || !pending {
		t.Errorf("pending: %v, %v", pending, err)
	}
	w.refused(w.send(http.MethodPost, "/audits", `{"repair":true,"recreate":"aa01"}`), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodPost, "/audits", `{"recreate":"aa01","delete_duplicate":7}`), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodPost, "/audits", `{"repare":true}`), http.StatusBadRequest, "invalid")
	w.refused(w.send(http.MethodGet, "/audits/unknown", ""), http.StatusNotFound, "not-found")
	var cost struct {
		ArchivedTokens *int `json:"archived_tokens"`
	}
	if w.get("/plan/audit", &cost); cost.ArchivedTokens == nil {
		t.Error("the cost of an audit is missing")
	}
}
