package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/testing/testenv"
)

type operationResult struct {
	N                     int
	Input, Result, Reason string
}

// begun returns the operation in an answer, after it has ended.
func (w *world) begun(r reply) (op gistdeal.Operation) {
	w.t.Helper()
	w.read(r, http.StatusAccepted, &op)
	if r.header.Get("Location") != "/api/v1/operations/"+op.ID {
		w.t.Errorf("the location of operation %s is %q", op.ID, r.header.Get("Location"))
	}
	testenv.Eventually(w.t, "the operation has ended", func() bool {
		w.get("/operations/"+op.ID, &op)
		return !op.EndedAt.IsZero()
	})
	return op
}

// results returns all results of an operation, read in pages.
func (w *world) results(id string) (all []operationResult) {
	w.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Results []operationResult
			Next    string
		}
		w.get("/operations/"+id+"/results?limit=40"+cursor, &page)
		all = append(all, page.Results...)
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

// users returns a body that names users.
func users(t *testing.T, logins []string, more map[string]any) string {
	t.Helper()
	body := map[string]any{"users": logins}
	for name, value := range more {
		body[name] = value
	}
	text, err := json.Marshal(body)
	testenv.Must(t, err)
	return string(text)
}

func TestManyUsersAreAddedByAnOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	logins := []string{"-bad-"}
	for i := range 120 {
		login := fmt.Sprintf("user%d", i)
		if i != 60 { // GitHub does not know user60.
			w.sim.MakeGists(login, 0)
		}
		logins = append(logins, login)
	}
	logins = append(logins, "USER5")
	op := w.begun(w.send(http.MethodPost, "/users", users(t, logins, map[string]any{"backfill": "none"})))
	if op.State != gistdeal.OperationCompleted || op.Kind != gistdeal.OperationAddUsers || op.Backfill != "none" ||
		op.Total != 122 || op.Done != 122 || op.Problems != 3 || op.Results["added"] != 119 || op.Results["invalid"] != 2 || op.Results["not_found"] != 1 {
		t.Errorf("%+v, want 119 of 122 users added", op)
	}
	results := w.results(op.ID)
	if len(results) != 122 || results[0].Input != "-bad-" || results[1].Input != "user60" || results[2].Input != "USER5" || results[3].Input != "user0" || results[3].Result != "added" {
		t.Errorf("%d results, %+v; want the three problems first", len(results), results[:min(4, len(results))])
	}
	if u, err := w.db.UserByLogin(t.Context(), "user7"); err != nil || u.Backfill != "none" {
		t.Errorf("%+v, %v; want user7 tracked with the backfill of the operation", u, err)
	}
	var list struct {
		Operations []gistdeal.Operation
		Next       string
	}
	op2 := w.begun(w.send(http.MethodPost, "/users", `{"users":["user1"]}`, "Prefer: respond-async, wait=5"))
	if op2.Results["tracked"] != 1 || op2.Backfill != "all" {
		t.Errorf("%+v, want one user that is tracked already", op2)
	}
	w.get("/operations?limit=1", &list)
	if len(list.Operations) != 1 || list.Operations[0].ID != op2.ID || list.Next == "" {
		t.Fatalf("%+v, want the newest operation", list)
	}
	w.get("/operations?cursor="+url.QueryEscape(list.Next), &list)
	if len(list.Operations) != 1 || list.Operations[0].ID != op.ID {
		t.Errorf("%+v, want the first operation", list)
	}
	w.refused(w.send(http.MethodGet, "/operations/unknown", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodGet, "/operations/unknown/results", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodPost, "/operations/unknown/cancel", ""), http.StatusNotFound, "not-found")
}

func TestACanceledOperationKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	logins := strings.Fields(strings.Repeat("x ", 101))
	for i := range logins {
		logins[i] = fmt.Sprintf("user%d", i)
	}
	logins[0] = "-bad-"
	var op gistdeal.Operation
	w.read(w.send(http.MethodPost, "/users", users(t, logins, nil)), http.StatusAccepted, &op)
	if op.State != gistdeal.OperationQueued || op.Done != 1 || op.Backfill != "all" {
		t.Errorf("%+v, want it queued", op)
	}
	for range 2 {
		w.read(w.send(http.MethodPost, "/operations/"+op.ID+"/cancel", ""), http.StatusOK, &op)
		if op.State != gistdeal.OperationCanceled || op.Results["canceled"] != 100 || op.Results["invalid"] != 1 {
			t.Errorf("%+v, want it canceled", op)
		}
	}
}

func TestManyDealsAreRetriedAndSkippedByAnOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sim.MakeGists("alice", 130)
	_, err := w.db.PausePushes(t.Context(), "hold", time.Now())
	testenv.Must(t, err)
	testenv.Must(t, w.engine.Track(t.Context(), "alice"))
	op := w.begun(w.send(http.MethodPost, "/deals/skip", `{"user":"alice","note":"not now"}`))
	if op.Kind != gistdeal.OperationSkipDeals || op.Total != 130 || op.Results["skipped"] != 130 || op.Note != "not now" {
		t.Fatalf("%+v, want 130 deals skipped", op)
	}
	var done admin.DealResults
	w.read(w.send(http.MethodPost, "/deals/retry", `{"states":["failed"]}`), http.StatusOK, &done)
	if done.Deals != 0 {
		t.Errorf("%d deals retried, want none: few are changed at once", done.Deals)
	}
	op = w.begun(w.send(http.MethodPost, "/deals/retry", `{"states":["skipped"]}`))
	if op.Total != 130 || op.Results["retried"] != 130 {
		t.Errorf("%+v, want 130 deals queued again", op)
	}
}
