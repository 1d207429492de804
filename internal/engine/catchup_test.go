package engine_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// loseDatabase deletes the files of the database.
func (w *world) loseDatabase() {
	w.t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(w.path + suffix); err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
	}
}

func TestALostDatabaseDuplicatesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 8)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	w.sim.ArchiveDeal(1)
	w.sim.DeleteDeal(2)
	w.loseDatabase()
	w.sim.AddGist("alice", sim.Gist{ID: "newcomer"})
	second := w.startTracking("alice")
	w.settled(second, "alice")
	w.wantPosts(9)
}

func TestTheCatchUpAfterALostDatabaseWaitsForDealsThatAppearLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1, ListDelay: time.Second})
	w.options.ResendAfter = 4 * time.Second
	clock := newClock()
	w.options.Now = clock.now
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	// These deals appear in lists by now. The next deal does not yet.
	shown := time.Now().Add(time.Second)
	w.eventually("the first deals appear in lists", func() bool { return time.Now().After(shown) })
	w.sim.AddGist("alice", sim.Gist{ID: "late"})
	clock.add(4 * time.Hour)
	w.settled(first, "alice")
	first.end()
	clock.add(-4 * time.Hour)
	w.loseDatabase()
	second := w.startTracking("alice")
	w.eventually("the status says that pushes wait", func() bool { return strings.Contains(second.Status().Pushes, "another database made deals") })
	w.settled(second, "alice")
	w.wantPosts(4)
}

func TestTheCatchUpOfARestoredDatabaseWaitsForDealsThatAppearLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.options.ResendAfter = 2 * time.Second
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	backup, err := os.ReadFile(w.path)
	testenv.Must(t, err)
	clock := newClock()
	w.options.Now = clock.now
	second := w.start()
	w.sim.AddGist("alice", sim.Gist{ID: "unknown"})
	clock.add(4 * time.Hour)
	w.settled(second, "alice")
	second.end()
	w.loseDatabase()
	testenv.Must(t, os.WriteFile(w.path, backup, 0o600))
	third := w.start()
	w.eventually("the status says that pushes wait", func() bool { return strings.Contains(third.Status().Pushes, "another database made deals") })
	w.settled(third, "alice")
	w.wantPosts(4)
}

func TestDealsOfTheSeedAreAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 3)})
	dealID := w.sim.SeedDeal("alice", "a0001", "made by the seed")
	r := w.startTracking("alice")
	w.settled(r, "alice")
	if got := w.deals(r, "alice")["a0001"].DealID; got != dealID || w.count(postDeal) != 2 {
		t.Errorf("the deal is %d after %d POSTs, want %d after 2", got, w.count(postDeal), dealID)
	}
	for _, name := range []string{"Gist author", "Gist", "Gist Access URL"} {
		if got := w.count("POST /api/v2/dealFields"); got != 1 {
			t.Fatalf("%d fields were created, want 1: %q existed", got, name)
		}
	}
}

func TestADuplicateDealIsReportedAndLeftUnchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	first, second := w.sim.SeedDeal("alice", "a0000", ""), w.sim.SeedDeal("alice", "a0000", "")
	r := w.startTracking("alice")
	w.eventually("the deal is recorded", func() bool { return w.deals(r, "alice")["a0000"].State == gistdeal.DealCreated })
	counts, err := r.store.Counts(t.Context())
	testenv.Must(t, err)
	if got := w.deals(r, "alice")["a0000"].DealID; got != first || counts.Duplicates != 1 {
		t.Errorf("the deal is %d with %d duplicates; want %d, and %d as a duplicate", got, counts.Duplicates, first, second)
	}
	if got := w.sim.Report().Deals; got != 2 {
		t.Errorf("%d deals in Pipedrive, want both kept", got)
	}
}

func TestNothingIsPushedBeforeTheCatchUpIsComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	w.sim.SeedDeal("alice", "a0000", "")
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals/archived", Kind: "error-before"})
	r := w.startTracking("alice")
	w.eventually("two tries", func() bool { return w.count("GET /api/v2/deals/archived") >= 2 })
	w.wantPosts(0)
	w.sim.ClearFaults()
	_, err := r.store.ResumePushes(t.Context(), time.Now()) // The next try is not due soon.
	testenv.Must(t, err)
	w.settled(r, "alice")
}

func TestARestartReadsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	first := w.startTracking("alice")
	w.settled(first, "alice")
	first.end()
	w.restart()
	starts := 0
	for _, seen := range w.sim.Report().RequestLog {
		if seen.Path == "/v1/users/me" {
			starts++
		}
		if starts == 2 && strings.HasPrefix(seen.Path, "/api/v2/deals") && !strings.Contains(seen.Path, "updated_since=") {
			t.Errorf("a restart listed all deals: %s", seen.Path)
		}
	}
}

func TestACatchUpContinuesItsListWhereItBroke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 2)})
	for _, g := range simGists("b", 4500) { // 10 pages with those of alice
		w.sim.SeedDeal("bob", g.ID, "")
	}
	w.sim.SeedDeal("alice", "a0000", "")
	const before = 11 // pages of the look for earlier deals
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: before + 4, Times: 1})
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: before + 8, Times: 1})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	w.wantPosts(1)
	// Two pages are read twice, and then what changed meanwhile.
	full := 0
	for _, seen := range w.sim.Report().RequestLog {
		if strings.HasPrefix(seen.Path, "/api/v2/deals?") && strings.Contains(seen.Path, "asc") && !strings.Contains(seen.Path, "updated_since=") {
			full++
		}
	}
	if full != 12 {
		t.Errorf("%d requests for 10 pages of all deals, want 12: two failed", full)
	}
	if got := w.log.Count("deals adopted"); got != 3 {
		t.Errorf("deals were adopted in %d parts, want 3", got)
	}
}

func TestALateChangeIsSeenAfterAListThatBroke(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{Seed: 1})
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 1)})
	clock := newClock()
	w.sim.Set(func(o *sim.Options) { o.Now = clock.now })
	first := w.sim.AddDealByHand("not yet of a gist", nil)
	for _, g := range simGists("b", 1200) {
		w.sim.SeedDeal("bob", g.ID, "")
	}
	const before = 3 // pages of the look for earlier deals, and one of archived ones
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: before + 2})
	r := w.start()
	w.eventually("the list breaks", func() bool { return w.count("GET /api/v2/deals") >= before+2 })
	// The deal is on a page that was read before the list broke. The list breaks once
	// more, an hour later.
	w.sim.EditDeal(first, map[string]string{"Gist Access URL": "https://gist.github.com/alice/a0000"})
	clock.add(time.Hour)
	w.sim.ClearFaults()
	w.sim.AddFault(sim.Fault{Match: "GET /api/v2/deals", Kind: "error-before", After: 1, Times: 1})
	testenv.Must(t, w.track(r, "alice"))
	w.settled(r, "alice")
	w.wantPosts(0)
}
