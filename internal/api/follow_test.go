package api_test

import (
	"net/http"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/estimate"
	"gistdeal/internal/testing/testenv"
)

func TestARequestedScanIsFollowedThroughTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	w.sim.MakeGists("alice", 2)
	w.read(w.send(http.MethodPost, "/users/ALICE/scan", ""), http.StatusAccepted, nil)
	var now admin.ScanStatus
	testenv.Eventually(t, "the scan and its deals have ended", func() bool {
		w.get("/users/ALICE/scan", &now)
		return !now.Reading && now.Deals[gistdeal.DealCreated] == 3
	})
	if now.Login != "alice" || now.Failed != "" || now.Waiting != "" {
		t.Errorf("%+v, want no problem", now)
	}
	w.read(w.send(http.MethodPost, "/users/alice/pause", ""), http.StatusOK, nil)
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	testenv.Eventually(t, "the scan is refused", func() bool {
		w.get("/users/alice/scan", &now)
		return now.Failed == `"alice" is paused: resume it first`
	})
	w.refused(w.send(http.MethodGet, "/users/nobody/scan", ""), http.StatusNotFound, "not-found")
}

func TestAChangeTellsItsEffectBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(2, "alice")
	var retried admin.DealResults
	w.read(w.send(http.MethodPost, "/deals/retry", `{"dry_run":true}`), http.StatusOK, &retried)
	if retried.Deals != 0 {
		t.Errorf("%+v, want no failed deal", retried)
	}
	var cost estimate.Cost
	w.get("/plan?deals=63", &cost)
	if cost.Deals != 63 || cost.Tokens != 315 || cost.Seconds != 7 {
		t.Errorf("%+v, want 5 tokens for each deal", cost)
	}
	w.refused(w.send(http.MethodGet, "/plan?deals=-1", ""), http.StatusBadRequest, "invalid")
	w.read(w.send(http.MethodDelete, "/users/alice", ""), http.StatusOK, nil)
	w.refused(w.send(http.MethodGet, "/users/alice", ""), http.StatusNotFound, "not-found")
	var u admin.CountedUser
	w.get("/users/alice?removed=true", &u)
	if u.Login != "alice" || u.Deals[gistdeal.DealCreated] != 2 {
		t.Errorf("%+v, want the removed user with 2 deals", u)
	}
}
