package engine_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// runs returns the ended runs of a kind, the oldest first.
func (w *world) runs(r *run, kind gistdeal.RunKind) (ended []gistdeal.Run) {
	w.t.Helper()
	all, err := r.store.Runs(w.t.Context(), gistdeal.RunFilter{Kinds: []gistdeal.RunKind{kind}}, 0, 100)
	testenv.Must(w.t, err)
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].Ended.IsZero() {
			ended = append(ended, all[i])
		}
	}
	return ended
}

func TestRunsRecordTheResultsAndCostOfAFirstScan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.pushTimeout, w.options.ResendAfter = 20*time.Second, 30*time.Second // No POST may time out, even on a busy machine.
	w.sim.MakeGists("alice", 130)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.eventually("the runs of the pushes have ended", func() bool {
		created := 0
		for _, p := range w.runs(r, gistdeal.RunPush) {
			created += p.Deals
		}
		return created >= 130
	})
	scans := w.runs(r, gistdeal.RunScan)
	if len(scans) != 1 {
		t.Fatalf("%+v, want one scan", scans)
	}
	s := scans[0]
	if s.Login != "alice" || s.Gists != 130 || s.Done != 2 || s.Total != 2 || s.Requests != 2 || s.Problem != "" || s.Failed != 0 {
		t.Errorf("the run of the scan is %+v", s)
	}
	deals, tokens := 0, 0
	for _, p := range w.runs(r, gistdeal.RunPush) {
		deals, tokens = deals+p.Deals, tokens+p.Tokens
		if p.Done != p.Deals || p.Requests < p.Deals || p.Problem != "" {
			t.Errorf("a run of pushes is %+v", p)
		}
	}
	if deals != 130 || tokens < 130*5 {
		t.Errorf("%d deals for %d tokens, want 130 at 5 tokens or more each", deals, tokens)
	}
}

func TestASweepIsOneRunAndItsScansWithoutNewGistsAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	clock := newClock()
	w.options.Now = clock.now
	w.sim.MakeGists("alice", 3)
	w.sim.MakeGists("bob", 3)
	r := w.startTracking("alice")
	testenv.Must(t, w.track(r, "bob"))
	w.settled(r, "alice", "bob")
	w.sim.MakeGists("bob", 2)
	clock.add(4 * time.Hour)
	w.settled(r, "alice", "bob")
	later := func(login string) bool { return w.user(r, login).LastScanAt.After(time.Now().Add(time.Hour)) }
	w.eventually("both are scanned again", func() bool { return later("alice") && later("bob") })
	r.end()
	r = w.start()
	sweeps := w.runs(r, gistdeal.RunSweep)
	if len(sweeps) != 1 || sweeps[0].Done != 2 || sweeps[0].Total != 2 || sweeps[0].Gists != 2 || sweeps[0].Requests < 2 {
		t.Errorf("%+v, want one sweep of two users with two gists", sweeps)
	}
	scans := w.runs(r, gistdeal.RunScan)
	if len(scans) != 3 || scans[2].Login != "bob" || scans[2].Gists != 2 {
		t.Errorf("%+v, want two first scans and bob's second", scans)
	}
}

func TestAFailedRunTellsItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.MakeGists("alice", 1)
	r := w.startTracking("alice")
	w.sim.DeleteUser("alice")
	if _, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow}); err == nil {
		t.Error("a scan of a deleted user succeeded")
	}
	w.eventually("its run", func() bool { return len(w.runs(r, gistdeal.RunScan)) == 2 })
	if got := w.runs(r, gistdeal.RunScan)[1]; got.Problem == "" || got.Failed != 1 {
		t.Errorf("%+v, want the reason of its failure", got)
	}
}
