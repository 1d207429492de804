package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

func TestAnErasedUserIsTrackedAgainOnlyOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(3, "alice", "bob")
	w.refused(w.send(http.MethodPost, "/users/alice/erase", `{"confirm":"bob"}`), http.StatusBadRequest, "invalid")
	var list struct{}
	w.read(w.send(http.MethodPut, "/rules", `{"rules":[{"name":"hers","action":"hold","any":[{"fact":"login","value":"Alice"}]},{"name":"his","action":"hold","any":[{"fact":"login","value":"bob"}]}]}`), http.StatusOK, &list)

	var erased admin.Erased
	w.read(w.send(http.MethodPost, "/users/Alice/erase", `{"confirm":"alice"}`), http.StatusOK, &erased)
	if erased.Reserved != 3 || len(erased.Deals) != 3 || !strings.HasSuffix(erased.Deals[0].URL, "1") {
		t.Errorf("%+v, want three deals that still exist in Pipedrive", erased)
	}
	if !slices.Equal(erased.Rules, []string{"hers"}) {
		t.Errorf("the rules %q still name alice, want that hers does", erased.Rules)
	}
	for _, path := range []string{"/users?state=removed&state=active", "/runs", "/gists", "/deals?state=created"} {
		if r := w.send(http.MethodGet, path, ""); strings.Contains(r.body, "alice") {
			t.Errorf("%s still contains alice: %s", path, r.body)
		}
	}
	w.refused(w.send(http.MethodPost, "/users/alice/erase", `{"confirm":"alice"}`), http.StatusNotFound, "not-found")

	add := func(body string) admin.Result {
		var list resultList
		w.read(w.send(http.MethodPost, "/users", body), http.StatusOK, &list)
		return list.Results[0]
	}
	if r := add(`{"users":["alice"]}`); r.Result != "invalid" || !strings.Contains(r.Reason, "erased") {
		t.Errorf("%+v, want alice reported as erased", r)
	}
	w.sim.RenameUser("alice", "alicia")
	if r := add(`{"users":["alicia"]}`); r.Result != "invalid" || !strings.Contains(r.Reason, "erased") {
		t.Errorf("%+v, want alice recognised by her id", r)
	}
	w.sim.RenameUser("alicia", "alice")
	testenv.Must(w.t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken("ci"), gistdeal.ScopeWrite, time.Now()))
	r := w.send(http.MethodPost, "/users", `{"users":["alice"],"again":true}`, "Authorization: Bearer ci")
	w.refused(r, http.StatusForbidden, "scope-too-small")
	testenv.Must(w.t, w.db.RevokeToken(t.Context(), "ci", time.Now())) // Without a token, this machine needs none.
	if r := add(`{"users":["alice"]}`); r.Result != "invalid" {
		t.Errorf("%+v, want alice still refused after a request without the scope", r)
	}
	if r := add(`{"users":["alice"],"again":true}`); r.Result != "added" {
		t.Fatalf("%+v, want alice tracked again", r)
	}
	testenv.Must(w.t, w.engine.Track(t.Context(), "alice"))
	testenv.Eventually(w.t, "the scan of alice has ended", func() bool {
		u, err := w.db.UserByLogin(t.Context(), "alice")
		testenv.Must(w.t, err)
		return !u.LastScanAt.IsZero()
	})
	counts, err := w.db.Counts(t.Context())
	testenv.Must(w.t, err)
	if posts := w.sim.Report().Requests["POST /api/v2/deals"]; posts != 6 || counts.Deals[gistdeal.DealCreated] != 6 {
		t.Errorf("%d POSTs, %v; want six deals as before", posts, counts.Deals)
	}
}

func TestErasingWaitsForADealThatIsBeingSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	w.sim.AddFault(sim.Fault{Match: "POST /api/v2/deals", Kind: "hang-before", Times: 1})
	w.sim.MakeGists("alice", 1)
	w.read(w.send(http.MethodPost, "/users/alice/scan", ""), http.StatusAccepted, nil)
	testenv.Eventually(w.t, "a deal is being sent", func() bool {
		counts, err := w.db.Counts(t.Context())
		testenv.Must(w.t, err)
		return counts.Deals[gistdeal.DealSending] == 1
	})
	r := w.send(http.MethodPost, "/users/alice/erase", `{"confirm":"alice"}`)
	w.refused(r, http.StatusBadRequest, "invalid")
	if !strings.Contains(r.body, "being sent") {
		t.Errorf("%s, want a deal being sent as the reason", r.body)
	}
	if _, err := w.db.KnownUser(t.Context(), "alice"); err != nil {
		t.Errorf("alice was erased while a deal was being sent: %v", err)
	}
}

func TestAUserThatLostItsLoginIsErasedByItsNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	u, err := w.db.UserByLogin(t.Context(), "alice")
	testenv.Must(w.t, err)
	_, err = w.db.Track(t.Context(), gistdeal.Account{ID: u.ID + 1000, Login: "alice"}, gistdeal.BackfillNone, u.TrackedAt)
	testenv.Must(w.t, err)
	path := fmt.Sprintf("/users/id:%d", u.ID)
	var gists struct{ Gists []admin.ListedGist }
	if w.read(w.send(http.MethodGet, path+"/gists", ""), http.StatusOK, &gists); len(gists.Gists) != 1 {
		t.Errorf("%d gists are listed, want one", len(gists.Gists))
	}
	var removed admin.Result
	w.read(w.send(http.MethodDelete, path, ""), http.StatusOK, &removed)
	w.read(w.send(http.MethodPost, path+"/erase", fmt.Sprintf(`{"confirm":"id:%d"}`, u.ID)), http.StatusOK, new(admin.Erased))
	w.refused(w.send(http.MethodGet, path, ""), http.StatusNotFound, "not-found")
	w.read(w.send(http.MethodGet, "/users/alice", ""), http.StatusOK, new(admin.CountedUser))
}
