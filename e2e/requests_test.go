package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestPendingRequestsAreListedAndCanceledByCommands(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 1})
	wantRun(t, env, 0, "waiting", "users", "add", "alice", "bob", "carol")
	wantRun(t, env, 0, "alice", "requests", "list")
	wantRun(t, env, 0, "canceled", "requests", "cancel", "alice")
	wantRun(t, env, 1, "no request for this login is pending", "requests", "cancel", "alice")
	wantRun(t, env, 80, "name logins, or use --all", "requests", "cancel")
	var canceled struct{ Canceled int }
	if read(t, env, &canceled, "requests", "cancel", "--all"); canceled.Canceled != 2 {
		t.Errorf("%d requests were canceled, want 2", canceled.Canceled)
	}
}

func TestAStrangersFloodOfLoginsIsRefused(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 1})
	db, err := store.Open(t.Context(), env["GISTDEAL_DATABASE_URL"], store.Options{})
	testenv.Must(t, err)
	flood := make([]gistdeal.ScanRequest, 11_000)
	for i := range flood {
		flood[i].Login = fmt.Sprintf("stranger-%d", i)
	}
	_, err = db.RequestScan(t.Context(), time.Now(), flood...)
	testenv.Must(t, err)
	testenv.Must(t, db.Close())
	p := start(t, env)
	if status, body := p.get("/user/one-more"); status != 503 || !strings.Contains(body, "at most 10000 may be") {
		t.Errorf("status %d, %s; want that one more is refused", status, body)
	}
	wantRun(t, env, 0, "canceled", "requests", "cancel", "--all")
	if status, body := p.get("/user/one-more"); status != 404 {
		t.Errorf("status %d, %s; want that the queue is free again", status, body)
	}
}
