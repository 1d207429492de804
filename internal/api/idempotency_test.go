package api_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/engine"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestARequestWithTheSameIdempotencyKeyIsNotCarriedOutTwice(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	logins := []string{}
	for i := range 101 {
		logins = append(logins, fmt.Sprintf("user%d", i))
	}
	body := users(t, logins, nil)
	send := func(path, body, key string) reply {
		return w.send(http.MethodPost, path, body, "Idempotency-Key: "+key)
	}
	first, again := send("/users", body, "one"), send("/users", body, "one")
	if first.status != http.StatusAccepted || again.status != first.status || again.body != first.body ||
		again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%+v, want the first answer %+v", again, first)
	}
	w.refused(send("/users", users(t, logins[1:], nil), "one"), http.StatusUnprocessableEntity, "idempotency-key")
	w.refused(send("/users?backfill=none", body, "one"), http.StatusUnprocessableEntity, "idempotency-key")
	w.refused(send("/users/change", body, "one"), http.StatusUnprocessableEntity, "idempotency-key")
	w.refused(send("/users", body, strings.Repeat("k", 256)), http.StatusBadRequest, "invalid")
	w.refused(send("/users", body, ""), http.StatusBadRequest, "invalid")
	if r := send("/users", body, "two"); r.status != http.StatusAccepted || r.body == first.body {
		t.Errorf("%+v, want another operation for another key", r)
	}
	var list struct{ Operations []gistdeal.Operation }
	w.get("/operations", &list)
	if len(list.Operations) != 2 {
		t.Errorf("%d operations, want 2", len(list.Operations))
	}
	// A refused request may be corrected.
	w.refused(send("/users", `{"users":[]}`, "three"), http.StatusBadRequest, "invalid")
	w.read(send("/users", `{"users":["-bad-"]}`, "three"), http.StatusOK, nil)
}

func TestARepeatedRequestWhoseProcessDiedBeginsNoSecondOperation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	w := &world{t: t, db: stack.OpenAt(t, path)}
	w.engine = engine.New(w.db, nil, nil, engine.Options{})
	w.serve()
	body := `{"users":["alice"]}`
	send := func() reply {
		return w.send(http.MethodPost, "/users", body, "Idempotency-Key: one", "Prefer: respond-async")
	}
	var first, again gistdeal.Operation
	w.read(send(), http.StatusAccepted, &first)
	// The process that began the operation dies before it stores the answer.
	died := func(ago time.Duration) {
		db, err := sql.Open("sqlite", path)
		testenv.Must(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), `UPDATE idempotency_keys SET status = 0, answer = '', at = $1`, time.Now().Add(-ago).UnixMilli())
		testenv.Must(t, err)
	}
	died(time.Minute)
	r := send()
	w.refused(r, http.StatusConflict, "idempotency-key")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After while the first request may be in progress")
	}
	died(6 * time.Minute)
	w.read(send(), http.StatusAccepted, &again)
	if again.ID != first.ID {
		t.Errorf("operation %s began after %s", again.ID, first.ID)
	}
}

func TestTheValueOfATokenIsNotStoredWithItsIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var token admin.NewToken
	create := func(headers ...string) reply {
		return w.send(http.MethodPost, "/tokens", `{"name":"boss","scope":"admin"}`, append(headers, "Idempotency-Key: one")...)
	}
	w.read(create(), http.StatusCreated, &token)
	boss := "Authorization: Bearer " + token.Token
	// The key belongs to its caller, and nobody else's request has it.
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"read"}`, boss, "Idempotency-Key: one"), http.StatusCreated, nil)
	testenv.Must(t, w.db.RevokeToken(t.Context(), "boss", time.Now()))
	testenv.Must(t, w.db.RevokeToken(t.Context(), "ci", time.Now()))
	r := create()
	w.refused(r, http.StatusConflict, "idempotency-key")
	if !strings.Contains(r.body, "secret") || strings.Contains(r.body, token.Token) {
		t.Errorf("%s, want that the value is not stored", r.body)
	}
	k := gistdeal.IdempotencyKey{Caller: gistdeal.Anonymous, Key: "one", Request: "?"}
	if _, earlier, err := w.db.ClaimKey(t.Context(), k, "x", time.Now()); err != nil || earlier.Status != http.StatusCreated || earlier.Body != "" {
		t.Errorf("%+v, %v; want no answer stored", earlier, err)
	}
}

func TestARotationIsNotRepeatedWithItsIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	var token, rotated admin.NewToken
	w.read(w.send(http.MethodPost, "/tokens", `{"name":"ci","scope":"admin"}`), http.StatusCreated, &token)
	rotate := func() reply {
		return w.send(http.MethodPost, "/tokens/ci/rotate", `{}`, "Authorization: Bearer "+token.Token, "Idempotency-Key: one")
	}
	w.read(rotate(), http.StatusOK, &rotated)
	w.refused(rotate(), http.StatusConflict, "idempotency-key")
	for _, value := range []string{token.Token, rotated.Token} { // Another rotation would end the first value.
		if _, err := w.db.TokenOf(t.Context(), gistdeal.HashToken(value), time.Now()); err != nil {
			t.Error(err)
		}
	}
}
