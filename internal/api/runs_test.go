package api_test

import (
	"net/http"
	"testing"

	"gistdeal/internal/testing/testenv"
)

func TestRunsAreListedByKindUserAndPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track(3, "alice", "bob")
	type run struct {
		Kind, Login string
		Gists       int
	}
	var list struct {
		Runs []run
		Next string
	}
	w.get("/runs?kind=scan&limit=1", &list)
	if len(list.Runs) != 1 || list.Runs[0] != (run{"scan", "bob", 3}) || list.Next == "" {
		t.Fatalf("%+v, want bob's scan and a next page", list)
	}
	w.get("/runs?kind=scan&limit=1&cursor="+list.Next, &list)
	if len(list.Runs) != 1 || list.Runs[0].Login != "alice" {
		t.Errorf("%+v, want alice's scan", list)
	}
	w.get("/runs?user=ALICE", &list)
	if len(list.Runs) != 1 || list.Runs[0].Login != "alice" {
		t.Errorf("%+v, want alice's scan only", list)
	}
	testenv.Eventually(w.t, "nothing goes on", func() bool {
		w.get("/runs?in_progress=true", &list)
		return len(list.Runs) == 0
	})
	w.refused(w.send(http.MethodGet, "/runs?user=nobody-here", ""), http.StatusNotFound, "not-found")
	w.refused(w.send(http.MethodGet, "/runs?cursor=xxx", ""), http.StatusBadRequest, "invalid")
}
