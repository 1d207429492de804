package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	operations "gistdeal/internal/operation"
	"gistdeal/internal/testing/testenv"
)

type changedUsers struct {
	Users   int
	Results []admin.Result
}

func TestABulkChangeAppliesToManyUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice", "bob", "carla")
	for _, c := range []struct {
		body    string
		users   int
		results []string
	}{
		{`{"change":"pause","users":["alice","BOB","nobody-here","bob"]}`, 2, []string{"paused", "paused", "not_found", "unchanged"}},
		{`{"change":"scan","users":["alice","carla"]}`, 1, []string{"unchanged", "requested"}},
		{`{"change":"resume","states":["paused"]}`, 2, nil},
		{`{"change":"remove","search":"a"}`, 2, nil}, // alice and carla
	} {
		var got changedUsers
		w.read(w.send(http.MethodPost, "/users/change", c.body), http.StatusOK, &got)
		if got.Users != c.users || len(got.Results) != len(c.results) {
			t.Fatalf("%s: %+v, want %d changed", c.body, got, c.users)
		}
		for i, want := range c.results {
			if got.Results[i].Result != want {
				t.Errorf("%s: %+v, want %s", c.body, got.Results[i], want)
			}
		}
	}
	var list userList
	w.get("/users", &list)
	if len(list.Users) != 1 || list.Users[0].Login != "bob" || list.Users[0].State != "active" {
		t.Errorf("%+v, want bob only, active", list.Users)
	}
	for _, body := range []string{`{"change":"pause"}`, `{"change":"pause","users":["bob"],"search":"b"}`} {
		w.refused(w.send(http.MethodPost, "/users/change", body), http.StatusBadRequest, "invalid")
	}
}

func TestTheLatestGistsOfAllUsersAreListedWithTheNewOnesMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(2, "alice", "bob")
	var list struct {
		Gists []admin.UserGist
		Next  string
	}
	w.read(w.send(http.MethodPut, "/users/bob/visit", `{"seq":1000}`), http.StatusOK, nil)
	w.get("/gists?limit=3", &list)
	if len(list.Gists) != 3 || list.Gists[0].Login != "bob" || list.Gists[0].New || list.Gists[2].Login != "alice" || !list.Gists[2].New || list.Next == "" {
		t.Fatalf("%+v, want bob's two seen gists and one new gist of alice", list)
	}
	w.get("/gists?limit=3&cursor="+list.Next, &list)
	if len(list.Gists) != 1 || list.Gists[0].DealURL == "" {
		t.Errorf("%+v, want the first gist with its deal", list)
	}
	w.get("/gists?show=new", &list)
	if len(list.Gists) != 2 || list.Gists[0].Login != "alice" {
		t.Errorf("%+v, want alice's two", list)
	}
}

func TestDuplicateDealsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(1, "alice")
	var gists struct{ Gists []admin.UserGist }
	w.get("/gists", &gists)
	id := gists.Gists[0].ID
	testenv.Must(w.t, w.db.ReplaceDuplicates(t.Context(), map[string][]int64{id: {gists.Gists[0].DealID, 900, 901}}, gists.Gists[0].CreatedAt))
	var list struct {
		Duplicates []admin.ListedDuplicate `json:"duplicates"`
		Next       string
	}
	w.get("/duplicates?limit=1", &list)
	if len(list.Duplicates) != 1 || list.Duplicates[0].DealID != 900 || list.Duplicates[0].Login != "alice" || list.Duplicates[0].GistID != id || list.Duplicates[0].DealURL == "" {
		t.Fatalf("%+v, want the first", list)
	}
	w.get("/duplicates?cursor="+list.Next, &list)
	if len(list.Duplicates) != 1 || list.Duplicates[0].DealID != 901 {
		t.Errorf("%+v, want the second", list)
	}
}

func TestTokensAreCreatedListedWithoutTheirValueAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var first, token admin.NewToken
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"boss","scope":"admin"}`), http.StatusCreated, &first)
	w.refused(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"read"}`), http.StatusUnauthorized, "") // From now on everybody needs a token.
	boss := "Authorization: Bearer " + first.Token
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"read"}`, boss), http.StatusCreated, &token)
	var list struct{ Tokens []gistdeal.Token }
	w.read(w.send(http.MethodGet, "/tokens", "", boss), http.StatusOK, &list)
	if token.Token == "" || len(list.Tokens) != 2 || list.Tokens[1].Name != "ci" || list.Tokens[1].Scope != "read" {
		t.Fatalf("created %v, listed %+v", token.Token != "", list.Tokens)
	}
	header := "Authorization: Bearer " + token.Token
	w.refused(w.send(http.MethodGet, "/tokens", "", header), http.StatusForbidden, "scope-too-small")
	w.refused(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"read"}`, boss), http.StatusConflict, "conflict")
	w.read(w.send(http.MethodDelete, "/tokens/ci", "", boss), http.StatusOK, nil)
	w.refused(w.send(http.MethodGet, "/me", "", header), http.StatusUnauthorized, "")
	w.refused(w.send(http.MethodDelete, "/tokens/ci", "", boss), http.StatusNotFound, "not-found")
}

func TestABulkChangeOfHundredsOfUsersHasAResultForEach(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	working := operations.New(w.db, nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- working.Run(ctx, nil) }()
	defer func() {
		stop()
		testenv.Must(t, <-ended)
	}()
	const count = 510
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("user%d", i)
		if i%3 > 0 {
			_, err := w.db.Track(t.Context(), gistdeal.Account{ID: int64(i), Login: names[i]}, gistdeal.BackfillAll, time.Now())
			testenv.Must(w.t, err)
		}
	}
	for _, change := range []string{"pause", "scan", "resume", "scan", "approve", "remove"} {
		op := w.begun(w.send(http.MethodPost, "/users/change", users(t, names, map[string]any{"change": change})))
		if op.Change != change || op.Total != count || op.Problems != count/3 {
			t.Errorf("%s: %+v", change, op)
		}
		for i, r := range w.results(op.ID) {
			if (r.Result == "not_found") != (i < count/3) {
				t.Errorf("%s: %+v is result %d, want problems first", change, r, i)
			}
		}
	}
	op := w.begun(w.send(http.MethodPost, "/users/change", `{"change":"resume","states":["removed"]}`))
	if op.Total != count*2/3 || op.Results["not_found"] != op.Total {
		t.Errorf("%+v, want that removed users cannot be resumed", op)
	}
	var list userList
	w.get("/users?state=removed&limit=500", &list)
	if len(list.Users) != count*2/3 {
		t.Errorf("%d users are removed, want all tracked ones", len(list.Users))
	}
}

func TestATokenIsCreatedWithAnExpiryAndARateAndRotated(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	testenv.Must(t, w.db.SetToken(t.Context(), "admin", gistdeal.HashToken("admin"), gistdeal.ScopeAdmin, time.Now()))
	const boss = "Authorization: Bearer admin"
	bearer := func(t admin.NewToken) string { return "Authorization: Bearer " + t.Token }
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	var first, second, third admin.NewToken
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"read","rate":7,"expires_at":"`+expires.Format(time.RFC3339)+`"}`, boss), http.StatusCreated, &first)
	w.read(w.send(http.MethodPost, "/tokens/ci/rotate", `{}`, boss), http.StatusOK, &second)
	if first.Rate != 7 || !first.ExpiresAt.Equal(expires) || !second.ExpiresAt.Equal(expires) || !second.OldValidUntil.Equal(expires) {
		t.Errorf("created %+v, rotated %+v: want an old value that ends at the expiry", first.ExpiresAt, second)
	}
	for _, token := range []admin.NewToken{first, second} {
		w.read(w.send(http.MethodGet, "/me", "", bearer(token)), http.StatusOK, nil)
	}
	w.read(w.send(http.MethodPost, "/tokens/ci/rotate", `{"overlap":"0s","expires_at":"`+expires.Add(24*time.Hour).Format(time.RFC3339)+`"}`, boss), http.StatusOK, &third)
	for _, token := range []admin.NewToken{first, second} {
		w.refused(w.send(http.MethodGet, "/me", "", bearer(token)), http.StatusUnauthorized, "")
	}
	if !third.OldValidUntil.IsZero() || !third.ExpiresAt.Equal(expires.Add(24*time.Hour)) {
		t.Errorf("rotated without overlap: %+v", third)
	}
	w.refused(w.send(http.MethodPost, "/tokens/ci/rotate", `{}`, bearer(third)), http.StatusForbidden, "scope-too-small")
	for path, body := range map[string]string{
		"/tokens":              `{"name":"x","scope":"read","expires_at":"2020-01-01T00:00:00Z"}`,
		"/tokens/ci/rotate":    `{"overlap":"31d"}`,
		"/tokens/ci/rotate/":   `{"overlap":"soon"}`,
		"/tokens/admin/rotate": `{}`,
	} {
		w.refused(w.send(http.MethodPost, strings.TrimSuffix(path, "/"), body, boss), http.StatusBadRequest, "invalid")
	}
	w.refused(w.send(http.MethodPost, "/tokens/nobody/rotate", `{}`, boss), http.StatusNotFound, "not-found")
}

func TestAPersonIsListedSignedOutAndForgotten(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	testenv.Must(t, w.db.SetToken(t.Context(), "admin", gistdeal.HashToken("admin"), gistdeal.ScopeAdmin, time.Now()))
	testenv.Must(t, w.db.SetToken(t.Context(), "ci", gistdeal.HashToken("ci"), gistdeal.ScopeWrite, time.Now()))
	const boss = "Authorization: Bearer admin"
	person := gistdeal.Person{Issuer: "https://login.example", Subject: "7", Name: "ann@example.com", Scope: "read"}
	_, err := w.db.SignedIn(t.Context(), person, time.Now())
	testenv.Must(t, err)
	testenv.Must(t, w.db.AddSession(t.Context(), "hash", gistdeal.Session{Person: person, ExpiresAt: time.Now().Add(time.Hour)}, time.Now()))
	var list struct{ People []gistdeal.KnownPerson }
	logIns := func() int {
		t.Helper()
		w.read(w.send(http.MethodGet, "/people", "", boss), http.StatusOK, &list)
		if len(list.People) != 1 || list.People[0].Name != person.Name {
			t.Fatalf("%+v", list)
		}
		return list.People[0].LogIns
	}
	if got := logIns(); got != 1 {
		t.Errorf("%d log-ins, want 1", got)
	}
	for _, route := range []struct{ method, path string }{{http.MethodGet, "/people"}, {http.MethodPost, "/people/ann@example.com/sign-out"}, {http.MethodDelete, "/people/ann@example.com"}} {
		w.refused(w.send(route.method, route.path, "", "Authorization: Bearer ci"), http.StatusForbidden, "scope-too-small")
	}
	w.read(w.send(http.MethodPost, "/people/ann@example.com/sign-out", "", boss), http.StatusOK, nil)
	if got := logIns(); got != 0 {
		t.Errorf("%d log-ins after the sign-out", got)
	}
	w.read(w.send(http.MethodDelete, "/people/ann%40example.com", "", boss), http.StatusOK, nil)
	w.refused(w.send(http.MethodDelete, "/people/ann@example.com", "", boss), http.StatusNotFound, "not-found")
}
