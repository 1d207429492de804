package engine_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestADatabaseThatIsAwayIsNotReportedAsARefusalOfARemote(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	w := newWorld(t, sim.Options{})
	w.path, w.lease = server.URL(t), time.Hour // It stays the leader.
	w.sim.MakeGists("alice", 300)
	r := w.startTracking("alice")
	w.eventually("deals are created", func() bool { return w.sim.Report().Deals > 10 })
	server.Stop(t) // While POSTs are under way, whose outcomes cannot be recorded.
	w.eventually("the status names the database", func() bool {
		return strings.HasPrefix(r.Status().Pushes, "a fault of gistdeal or of its database: in backoff: the database does not answer")
	})
	server.Go(t)
	w.settled(r, "alice")
	w.eventually("the status is on again", func() bool { return r.Status().Pushes == "on" })
	// Pipedrive may be slow beside all this, but the database is no reason to back off from it.
	if wrong := regexp.MustCompile(`backoff started" remote=(Pipedrive|GitHub) .*database.*`).FindString(w.log.String()); wrong != "" {
		t.Errorf("%s, want no backoff from a remote:\n%s", wrong, w.log)
	}
	accounts, err := r.store.Setting(t.Context(), "accounts")
	testenv.Must(t, err)
	if strings.Contains(accounts, "database") {
		t.Errorf("the accounts are %s, want no problem of the database", accounts)
	}
}
