package api_test

import (
	"net/http"
	"testing"

	"gistdeal/internal/admin/estimate"
)

func TestAnEstimateOfTrackingUsersWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(2, "alice")
	w.sim.MakeGists("alice", 1)
	w.sim.MakeGists("bob", 30)
	posts := w.sim.Report().Requests["POST /api/v2/deals"]
	var p estimate.Estimate
	w.read(w.send(http.MethodPost, "/plan", `{"users":["alice","bob","nobody-here"]}`), http.StatusOK, &p)
	if p.Deals != 31 || p.PipedriveTokens != 155 || p.Seconds != 4 || p.Backfill != "all" || p.Users[2].Problem == "" {
		t.Errorf("%+v, want one deal for alice and 30 for bob", p)
	}
	w.read(w.send(http.MethodPost, "/plan", `{"users":["bob"],"backfill":"none"}`), http.StatusOK, &p)
	if p.Deals != 0 {
		t.Errorf("%+v, want no deal for the gists of bob", p)
	}
	var list userList
	w.get("/users", &list)
	if len(list.Users) != 1 || w.sim.Report().Requests["POST /api/v2/deals"] != posts {
		t.Errorf("%+v: a plan tracked a user or created a deal", list)
	}
	w.refused(w.send(http.MethodPost, "/plan", `{"users":[]}`), http.StatusBadRequest, "")
	w.refused(w.send(http.MethodPost, "/plan", `{"users":["bob"],"user_tags":{"alice":["vip"]}}`), http.StatusBadRequest, "invalid")
}
