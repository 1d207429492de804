package api_test

import (
	"net/http"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/testing/testenv"
)

func TestPendingRequestsAreListedAndCanceled(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	_, err := w.db.RequestScan(t.Context(), time.Now(), gistdeal.ScanRequest{Login: "alice"}, gistdeal.ScanRequest{Login: "Bob"}, gistdeal.ScanRequest{Login: "carol"})
	testenv.Must(t, err)
	var list struct {
		Requests []gistdeal.PendingRequest
		Next     string
	}
	w.get("/requests?limit=1", &list)
	if len(list.Requests) != 1 || list.Requests[0].Login != "alice" || list.Next == "" {
		t.Fatalf("%+v, want alice's request and a cursor", list)
	}
	w.get("/requests?cursor="+list.Next, &list)
	if len(list.Requests) != 2 || list.Requests[0].Login != "Bob" {
		t.Errorf("%+v, want the other two", list)
	}
	w.read(w.send(http.MethodDelete, "/requests/bob", ""), http.StatusOK, nil)
	w.refused(w.send(http.MethodDelete, "/requests/bob", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodDelete, "/requests/-bad-", ""), http.StatusBadRequest, "invalid")
	var canceled struct{ Canceled int }
	w.read(w.send(http.MethodDelete, "/requests", ""), http.StatusOK, &canceled)
	if canceled.Canceled != 2 {
		t.Errorf("%d requests were canceled, want 2", canceled.Canceled)
	}
}
