package engine_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// audit requests an audit and waits for its result.
func (w *world) audit(r *run, o gistdeal.AuditRequest) gistdeal.Audit {
	w.t.Helper()
	o.ID, o.RequestedAt = rand.Text(), time.Now()
	testenv.Must(w.t, r.store.RequestAudit(w.t.Context(), o))
	var a gistdeal.Audit
	w.eventually("the audit ends", func() bool {
		var err error
		if a, err = r.store.Audit(w.t.Context(), o.ID); err != nil {
			w.t.Fatal(err)
		}
		return !a.EndedAt.IsZero()
	})
	return a
}

// kinds returns the gists of each kind of discrepancy.
func kinds(a gistdeal.Audit) map[gistdeal.DiscrepancyKind][]string {
	named := map[gistdeal.DiscrepancyKind][]string{}
	for _, d := range a.Discrepancies {
		named[d.Kind] = append(named[d.Kind], d.GistID)
	}
	return named
}

// anyDeal returns one of a user's deals.
func (w *world) anyDeal(r *run, login string) gistdeal.Deal {
	w.t.Helper()
	for _, d := range w.deals(r, login) {
		return d
	}
	w.t.Fatalf("%s has no deal", login)
	return gistdeal.Deal{}
}

// withOneDeal returns a world in which alice has one gist and its deal.
func withOneDeal(t *testing.T) (*world, *run, gistdeal.Deal) {
	t.Helper()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 1)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	return w, r, w.anyDeal(r, "alice")
}

func TestAnAuditWithoutDiscrepanciesListsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 12)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	a := w.audit(r, gistdeal.AuditRequest{})
	if len(a.Discrepancies) != 0 || a.Gists != 12 || a.Deals != 12 || a.Problem != "" {
		t.Errorf("%+v", a)
	}
}

func TestAnAuditListsEveryDiscrepancyAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.pushTimeout = 10 * time.Second // Refusals take time here; no POST may time out.
	w.sim.AddUser(sim.User{Login: "alice"})
	w.sim.AddGist("alice", sim.Gist{ID: "aa01", Description: "refused"})
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 1})
	w.sim.SeedDeal("alice", "aa05", "aa05")
	r := w.startTracking("alice")
	w.eventually("the deal is refused", func() bool { return w.anyDeal(r, "alice").State == gistdeal.DealFailed })
	for _, id := range []string{"aa02", "aa03", "aa04", "aa05", "aa06", "aa07"} {
		w.sim.AddGist("alice", sim.Gist{ID: id, Description: id})
	}
	if _, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the other deals are created", func() bool {
		created := 0
		for _, d := range w.deals(r, "alice") {
			if d.State == gistdeal.DealCreated {
				created++
			}
		}
		return created == 6
	})
	deals := w.deals(r, "alice")
	w.sim.DeleteDeal(deals["aa02"].DealID)
	w.sim.ArchiveDeal(deals["aa03"].DealID)
	w.sim.SeedDeal("alice", "aa04", "a second one")
	w.sim.PurgeDeal(deals["aa06"].DealID)
	w.sim.DeleteGist("aa07")
	if _, err := r.RequestScan(t.Context(), gistdeal.ScanRequest{Login: "alice", Kind: gistdeal.RequestScanNow}); err != nil {
		t.Fatal(err)
	}
	want := map[gistdeal.DiscrepancyKind][]string{
		gistdeal.DiscrepancyDeleted: {"aa02"}, gistdeal.DiscrepancyArchived: {"aa03"}, gistdeal.DiscrepancyDuplicate: {"aa04"},
		gistdeal.DiscrepancyForeign: {"aa05"}, gistdeal.DiscrepancyMissing: {"aa06"}, gistdeal.DiscrepancyGistGone: {"aa07"},
		gistdeal.DiscrepancyNeverCreated: {"aa01"},
	}
	for range 2 { // Both have the same result.
		a := w.audit(r, gistdeal.AuditRequest{})
		got := kinds(a)
		for id, gists := range got {
			slices.Sort(gists)
			got[id] = gists
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("discrepancies: %s", diff)
		}
	}
	if diff := cmp.Diff(deals, w.deals(r, "alice")); diff != "" {
		t.Errorf("an audit without a repair changed %s", diff)
	}
	counts, err := r.store.Counts(t.Context())
	if err != nil || counts.Duplicates != 1 {
		t.Errorf("%d duplicate deals, want 1, error %v", counts.Duplicates, err)
	}
}

func TestARepairCreatesNoDealAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.pushTimeout = 10 * time.Second // Refusals take time here; no POST may time out.
	w.sim.AddUser(sim.User{Login: "alice"})
	for _, id := range []string{"aa01", "aa02", "aa03"} {
		w.sim.AddGist("alice", sim.Gist{ID: id, Description: id})
	}
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "invalid", Times: 2})
	r := w.startTracking("alice")
	w.eventually("all deals are created or failed", func() bool {
		n := 0
		for _, d := range w.deals(r, "alice") {
			if d.State == gistdeal.DealCreated || d.State == gistdeal.DealFailed {
				n++
			}
		}
		return n == 3
	})
	var failed []string
	created := gistdeal.Deal{}
	for id, d := range w.deals(r, "alice") {
		if d.State == gistdeal.DealFailed {
			failed = append(failed, id)
		} else {
			created = d
		}
	}
	slices.Sort(failed)
	byHand := w.sim.SeedDeal("alice", failed[0], "by hand")
	w.sim.PurgeDeal(created.DealID)
	instead := w.sim.SeedDeal("alice", created.GistID, "by hand")
	a := w.audit(r, gistdeal.AuditRequest{Repair: true})
	for _, d := range a.Discrepancies {
		if d.Repair != "" && !d.Repaired {
			t.Errorf("not repaired: %+v", d)
		}
	}
	w.eventually("the missing deal is created", func() bool { return w.deals(r, "alice")[failed[1]].State == gistdeal.DealCreated })
	deals := w.deals(r, "alice")
	if deals[failed[0]].DealID != byHand || deals[created.GistID].DealID != instead {
		t.Errorf("deals after the repair: %v", deals)
	}
	w.wantPosts(4, "3 and one more after the repair")
	w.noDuplicates()
}

func TestADeletedDealIsRecreatedOnlyByTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 2)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	first := w.anyDeal(r, "alice")
	if a := w.audit(r, gistdeal.AuditRequest{Recreate: first.GistID}); a.Problem == "" {
		t.Error("an existing deal was created again")
	}
	w.sim.DeleteDeal(first.DealID)
	w.audit(r, gistdeal.AuditRequest{Repair: true})
	if d := w.deals(r, "alice")[first.GistID]; d != first {
		t.Errorf("a repair changed %+v to %+v", first, d)
	}
	// The deleted deal is still in the lists when the engine looks for deals to adopt.
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "drop-before", Times: 1})
	if a := w.audit(r, gistdeal.AuditRequest{Recreate: first.GistID}); a.Problem != "" {
		t.Fatal(a.Problem)
	}
	w.eventually("it is sent", func() bool { return w.count(postDeal) >= 3 })
	r.end()
	r = w.start()
	w.eventually("it is created again", func() bool {
		d := w.deals(r, "alice")[first.GistID]
		return d.State == gistdeal.DealCreated && d.DealID != first.DealID
	})
	w.noDuplicates()
	for _, o := range []gistdeal.AuditRequest{{Recreate: "no-such-gist"}, {DeleteDuplicate: first.DealID}, {DeleteDuplicate: 99}} {
		if a := w.audit(r, o); a.Problem == "" {
			t.Errorf("%+v succeeded, want an error", o)
		}
	}
}

func TestADuplicateDealIsDeletedOnlyByTheOperator(t *testing.T) {
	t.Parallel()
	w, r, one := withOneDeal(t)
	second := w.sim.SeedDeal("alice", one.GistID, "by hand")
	w.audit(r, gistdeal.AuditRequest{Repair: true})
	if got := len(w.sim.Report().ByGist[one.GistID]); got != 2 {
		t.Fatalf("%d deals after a repair, want 2", got)
	}
	if a := w.audit(r, gistdeal.AuditRequest{DeleteDuplicate: one.DealID}); a.Problem == "" {
		t.Error("the gist's only deal was deleted")
	}
	if a := w.audit(r, gistdeal.AuditRequest{DeleteDuplicate: second}); a.Problem != "" {
		t.Error(a.Problem)
	}
	if got := w.sim.Report().ByGist[one.GistID]; !slices.Equal(got, []int64{one.DealID}) {
		t.Errorf("deals %v, want the first one", got)
	}
	if counts, err := r.store.Counts(t.Context()); err != nil || counts.Duplicates != 0 {
		t.Errorf("%d duplicate deals, error %v", counts.Duplicates, err)
	}
}

func TestADuplicateAfterAResendIsDetected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.options.RecheckAfter = 2 * time.Second
	w.sim.MakeGists("alice", 1)
	// Pipedrive executes the first request after it was presumed lost. Nothing
	// prevents the duplicate, so it must be detected.
	w.sim.AddFault(sim.Fault{Match: postDeal, Kind: "latency", Latency: 1500 * time.Millisecond, Times: 1})
	r := w.startTracking("alice")
	w.eventually("the duplicate is detected", func() bool {
		counts, err := r.store.Counts(t.Context())
		return err == nil && counts.Duplicates == 1
	})
	w.wantPosts(2)
	w.eventually("it is checked once", func() bool {
		gists, _, err := r.store.ResentGists(t.Context(), time.Now())
		return err == nil && len(gists) == 0
	})
}

func TestAnAuditRunsEachNight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	night := time.Date(2026, 11, 25, 3, 30, 0, 0, time.UTC)
	begun := time.Now()
	w.options.Now = func() time.Time { return night.Add(time.Since(begun)) }
	w.options.AuditsOnRequest = false
	w.sim.MakeGists("alice", 1)
	r := w.startTracking("alice")
	w.eventually("an audit ends", func() bool {
		_, _, last, err := r.store.NextAudit(t.Context())
		return err == nil && !last.IsZero()
	})
	if got := w.log.Count("audit ended"); got != 1 {
		t.Errorf("%d audits", got)
	}
	page, err := r.store.AuditLog(t.Context(), gistdeal.AuditFilter{}, 0, 100)
	testenv.Must(t, err)
	for _, e := range page {
		if e.Action == gistdeal.ActionAudit {
			t.Errorf("the audit log says that %q requested it", e.Actor)
		}
	}
}

func TestAnAuditListsOnlyArchivedDealsThatChangedUnlessAllAreRequested(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	clock := newClock()
	w.sim.Set(func(o *sim.Options) { o.Now = clock.now })
	w.sim.AddUser(sim.User{Login: "alice", Gists: simGists("a", 4)})
	r := w.startTracking("alice")
	w.settled(r, "alice")
	deals := w.deals(r, "alice")
	w.sim.ArchiveDeal(deals["a0000"].DealID)
	w.sim.ArchiveDeal(deals["a0001"].DealID)
	r.end()
	clock.add(time.Hour)
	r = w.restart()
	clock.add(time.Hour)
	w.sim.ArchiveDeal(deals["a0002"].DealID)
	w.sim.PurgeDeal(deals["a0001"].DealID) // No list shows this.
	audit := func(o gistdeal.AuditRequest, wantAll bool, want map[gistdeal.DiscrepancyKind][]string) {
		t.Helper()
		a := w.audit(r, o)
		got := kinds(a)
		slices.Sort(got[gistdeal.DiscrepancyArchived])
		if diff := cmp.Diff(want, got); diff != "" || a.Problem != "" {
			t.Errorf("%+v, %s", a, diff)
		}
		lists := w.sim.Report().RequestLog
		for _, seen := range slices.Backward(lists) {
			if strings.HasPrefix(seen.Path, "/api/v2/deals/archived?") {
				if all := !strings.Contains(seen.Path, "updated_since="); all != wantAll {
					t.Errorf("%s: all archived deals are listed: %v, want %v", seen.Path, all, wantAll)
				}
				break
			}
		}
	}
	audit(gistdeal.AuditRequest{}, false, map[gistdeal.DiscrepancyKind][]string{gistdeal.DiscrepancyArchived: {"a0000", "a0001", "a0002"}})
	if got := w.count("GET /api/v2/deals/{id}"); got != 0 {
		t.Errorf("%d archived deals were read one by one", got)
	}
	want := map[gistdeal.DiscrepancyKind][]string{gistdeal.DiscrepancyArchived: {"a0000", "a0002"}, gistdeal.DiscrepancyMissing: {"a0001"}}
	audit(gistdeal.AuditRequest{Archived: true}, true, want)
	audit(gistdeal.AuditRequest{}, false, want)
}
