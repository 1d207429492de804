package pipedrive_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func TestARegularUsersKeyNeedsOnlyTheFieldThatRecognisesDeals(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{Regular: true}, pipedrive.Options{})
	_, err := w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, `create field "Gist ID"`, "may not add custom fields", "Company settings > Data fields",
		`"Gist author" of type Text, "Gist" of type Large text, "Gist Access URL" of type Text, "Gist ID" of type Text`, `only "Gist ID" is required`)
	if n := w.requests(postField); n != 0 {
		t.Errorf("%d fields were requested without permission", n)
	}
	code := w.AddField(pipedrive.FieldGistID, "varchar")
	p, err := w.client.Prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantWarning(t, p, "new deals have no Gist author, Gist, Gist Access URL, because", "an admin", "restart gistdeal")
	wantWarning(t, p, "cannot promise exactly one")
	id := w.mustCreate(t, hello)
	if got := w.deal(t, id).Custom; got[code] != hello.GistID || len(got) != 1 {
		t.Errorf("the deal has the fields %v", got)
	}
	if d, err := w.client.Deal(t.Context(), id); err != nil || d.GistID != hello.GistID {
		t.Errorf("the deal is of gist %q: %v", d.GistID, err)
	}
	url := w.AddField(pipedrive.FieldAccessURL, "varchar")
	if codes := w.prepare(t, p.Codes); codes[pipedrive.FieldAccessURL] != url {
		t.Errorf("the field that an admin created is not used: %v", codes)
	}
}

func TestARefusedFieldIsNotRequestedAgainAndNamesItsReason(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddFault(sim.Fault{Match: "GET /v1/users/101/permissions", Kind: "forbidden"}) // Nothing is known.
	w.AddFault(sim.Fault{Match: postField, Kind: "forbidden"})
	_, err := w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, `create field "Gist ID": Pipedrive forbids the request (403)`, "an admin of Pipedrive")
	if n := w.requests(postField); n != 1 {
		t.Errorf("%d fields were requested, want one", n)
	}
}

func TestAKeyThatMayNotAddDealsIsRefusedBeforeAnyDeal(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{Cannot: []string{"can_add_deals"}}, pipedrive.Options{})
	_, err := w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, "may not add deals", "Permission sets")
	if n := w.requests(postField); n != 0 {
		t.Errorf("%d fields were created for a key that cannot add deals", n)
	}
}

func TestPermissionsThatPipedriveDoesNotTellStopNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"forbidden", "unauthorized", "invalid", "error-before", "drop-before", "truncate"} {
		w := begin(t, sim.Options{}, pipedrive.Options{})
		w.AddFault(sim.Fault{Match: "GET /v1/users/101/permissions", Kind: kind})
		may, err := w.client.Permissions(t.Context())
		if want := (pipedrive.Permissions{AddDeals: true, AddFields: true, SetVisibility: true, SeeAllDeals: true}); err != nil || may != want {
			t.Errorf("%s: %+v, %v", kind, may, err)
		}
		w.prepare(t, nil)
		w.mustCreate(t, hello)
	}
}

func TestAnAdminsKeyHasNoWarnings(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	if p, err := w.client.Prepare(t.Context(), nil); err != nil || len(p.Warnings) > 0 {
		t.Errorf("%q, %v", strings.Join(p.Warnings, "\n"), err)
	}
}

func TestTheVisibilityIsSentOnlyIfItIsSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		visibility string
		groups     bool // of the plan
		want       int
	}{
		{"", false, 3}, {"owner", false, 1}, {"group", false, 3}, {"owner", true, 1}, {"group", true, 3}, {"company", true, 7},
	} {
		var sent []byte
		w := begin(t, sim.Options{VisibilityGroups: tt.groups}, pipedrive.Options{Target: gistdeal.Target{Visibility: tt.visibility}}, recordBody(&sent))
		w.prepare(t, nil)
		if got := w.deal(t, w.mustCreate(t, hello)).VisibleTo; got != tt.want {
			t.Errorf("%q: the deal is visible to %d, want %d", tt.visibility, got, tt.want)
		}
		if strings.Contains(string(sent), "visible_to") != (tt.visibility != "") {
			t.Errorf("%q: the request is %s", tt.visibility, sent)
		}
	}
}

// recordBody keeps the body of the last POST of a deal.
func recordBody(body *[]byte) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.Path == "/api/v2/deals" {
				*body, _ = io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(*body))
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestARefusedVisibilityFailsNoDeal(t *testing.T) {
	t.Parallel()
	w := prepared(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Visibility: "company"}})
	_, err := w.create(t, hello)
	wantKind(t, err, gistdeal.Unauthorized, "GISTDEAL_VISIBILITY is not possible here", "visible_to", "set it to group")
}

func TestVisibilityNeedsThePermission(t *testing.T) {
	t.Parallel()
	cannot := sim.Options{Cannot: []string{"can_change_visibility_of_items"}}
	w := begin(t, cannot, pipedrive.Options{Target: gistdeal.Target{Visibility: "owner"}})
	_, err := w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, `GISTDEAL_VISIBILITY is "owner"`, "may not change the visibility")
	w.AddFault(sim.Fault{Match: "GET /v1/users/101/permissions", Kind: "forbidden"}) // The refusal comes with the deal.
	w.prepare(t, nil)
	_, err = w.create(t, hello)
	wantKind(t, err, gistdeal.Unauthorized, "GISTDEAL_VISIBILITY is not possible here", "403")
	w = prepared(t, cannot, pipedrive.Options{})
	w.mustCreate(t, hello)
}
