package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// duplicates returns the recorded duplicate deals.
func (w *world) duplicates(r *run) (ids []int64) {
	w.t.Helper()
	deals, err := r.store.DuplicateDeals(w.t.Context(), 0, 100)
	testenv.Must(w.t, err)
	for _, d := range deals {
		ids = append(ids, d.DealID)
	}
	return ids
}

func TestACopyWhoseOriginalWasDeletedIsNoDuplicateAndIsNotDeleted(t *testing.T) {
	t.Parallel()
	w, r, one := withOneDeal(t)
	duplicate := w.sim.DuplicateDeal(one.DealID)
	w.audit(r, gistdeal.AuditRequest{})
	if got := w.duplicates(r); !slices.Equal(got, []int64{duplicate}) {
		t.Fatalf("duplicates %v, want %d", got, duplicate)
	}
	w.sim.DeleteDeal(one.DealID)
	if a := w.audit(r, gistdeal.AuditRequest{DeleteDuplicate: duplicate}); a.Problem == "" {
		t.Errorf("the gist's only living deal was deleted")
	}
	if a := w.audit(r, gistdeal.AuditRequest{}); len(a.Discrepancies) != 1 || a.Discrepancies[0].Kind != gistdeal.DiscrepancyDeleted || a.Discrepancies[0].Repair == "" {
		t.Errorf("discrepancies %+v, want one, of a deleted deal that can be linked to its copy", a.Discrepancies)
	}
	if got := w.duplicates(r); len(got) > 0 {
		t.Errorf("duplicates %v after the original was deleted", got)
	}
	r.end()
	r = w.restart() // The catch-up lists the copy and the deleted original.
	w.audit(r, gistdeal.AuditRequest{Repair: true})
	if got := w.duplicates(r); len(got) > 0 {
		t.Errorf("duplicates %v after a restart", got)
	}
	if got := w.anyDeal(r, "alice").DealID; got != duplicate {
		t.Errorf("after the repair the gist has the deal %d, want its copy %d", got, duplicate)
	}
	if got := w.sim.Report().ByGist[one.GistID]; !slices.Equal(got, []int64{duplicate}) {
		t.Errorf("living deals %v, want %d", got, duplicate)
	}
	w.wantPosts(1)
}

func TestADuplicateIsNotDeletedIfTheGistsDealNamesTheGistNoMore(t *testing.T) {
	t.Parallel()
	w, r, one := withOneDeal(t)
	duplicate := w.sim.DuplicateDeal(one.DealID)
	w.audit(r, gistdeal.AuditRequest{})
	w.sim.EditDeal(one.DealID, map[string]string{"Gist ID": "", "Gist Access URL": ""})
	if a := w.audit(r, gistdeal.AuditRequest{DeleteDuplicate: duplicate}); a.Problem == "" {
		t.Errorf("the only living deal that names the gist was deleted")
	}
	a := w.audit(r, gistdeal.AuditRequest{Repair: true})
	if got := kinds(a)[gistdeal.DiscrepancyDuplicate]; len(got) > 0 {
		t.Errorf("duplicates of %v, want none", got)
	}
	if got := w.anyDeal(r, "alice").DealID; got != duplicate {
		t.Errorf("after the repair the gist has the deal %d, want %d, the only one that names it", got, duplicate)
	}
}

func TestDealsWithTheAddressOfAPersonsPageBelongToNoGist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 1)
	for _, address := range []string{"https://gist.github.com/octocat", "https://gist.github.com/octocat/", "https://gist.github.com/cafe"} {
		for range 2 {
			w.sim.AddDealByHand("a customer", map[string]string{"Gist Access URL": address})
		}
	}
	r := w.startTracking("alice")
	w.settled(r, "alice")
	for range 2 {
		w.sim.AddDealByHand("another customer", map[string]string{"Gist ID": "n/a", "Gist Access URL": "https://gist.github.com/octocat"})
	}
	a := w.audit(r, gistdeal.AuditRequest{})
	if a.Deals != 1 || len(a.Discrepancies) > 0 {
		t.Errorf("%d deals of gists, discrepancies %+v; want the one deal of alice's gist", a.Deals, a.Discrepancies)
	}
	if got := w.duplicates(r); len(got) > 0 {
		t.Errorf("the deals %v of sales people count as duplicates", got)
	}
}

func TestMergedDealsAreNoDuplicates(t *testing.T) {
	t.Parallel()
	w, r, one := withOneDeal(t)
	customer := w.sim.AddDealByHand("a customer", nil)
	w.sim.MergeDeals(one.DealID, customer)
	a := w.audit(r, gistdeal.AuditRequest{Repair: true})
	if got := kinds(a)[gistdeal.DiscrepancyDuplicate]; len(got) > 0 {
		t.Errorf("duplicates of %v, want none", got)
	}
	if got := w.anyDeal(r, "alice").DealID; got != customer {
		t.Errorf("after the repair the gist has the deal %d, want the merged one, %d", got, customer)
	}
}

func TestTheDealOfAnUnknownGistIsNotRecreatedAndStopsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 10)
	const unknown = "aa5a315d61ae9438b18d"
	dealID := w.sim.SeedDeal("octocat", unknown, "")
	r := w.start()
	w.eventually("the deal is adopted", func() bool {
		h, err := r.store.Explain(t.Context(), unknown)
		return err == nil && h.DealID == dealID
	})
	w.sim.DeleteDeal(dealID)
	if a := w.audit(r, gistdeal.AuditRequest{Recreate: unknown}); !strings.Contains(a.Problem, "track its user first") {
		t.Errorf("the problem is %q", a.Problem)
	}
	testenv.Must(t, w.track(r, "alice"))
	w.settled(r, "alice")
}

func TestAHiddenDealIsADiscrepancyAndEndsNoAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	w.sim.MakeGists("alice", 3)
	r := w.startTracking("alice")
	w.settled(r, "alice")
	one := w.anyDeal(r, "alice")
	w.sim.MoveDeal(one.DealID, "Gists")
	w.sim.HidePipeline("Gists")
	w.sim.Set(func(o *sim.Options) { o.Regular = true })
	a := w.audit(r, gistdeal.AuditRequest{Repair: true})
	if diff := cmp.Diff(map[gistdeal.DiscrepancyKind][]string{gistdeal.DiscrepancyHidden: {one.GistID}}, kinds(a)); diff != "" || a.Problem != "" || a.Gists != 3 {
		t.Errorf("%+v, %s", a, diff)
	}
	if a := w.audit(r, gistdeal.AuditRequest{Recreate: one.GistID}); a.Problem == "" {
		t.Error("a hidden deal was created again")
	}
	duplicate := w.sim.AddGistDealByHand("alice", one.GistID)
	w.audit(r, gistdeal.AuditRequest{Repair: true})
	if got := w.duplicates(r); len(got) > 0 {
		t.Errorf("the duplicates are %v, although nobody knows whether the gist's own deal is alive", got)
	}
	if got := w.deals(r, "alice")[one.GistID]; got != one {
		t.Errorf("the gist has the deal %+v, want %+v, not %d", got, one, duplicate)
	}
}

func TestAnAuditAdoptsTheDealsOfQueuedGists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sim.Options{})
	r := w.start()
	if _, err := r.store.PausePushes(t.Context(), "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	w.sim.MakeGists("alice", 2)
	testenv.Must(t, w.track(r, "alice"))
	w.firstCaughtUp(r)
	gistID := w.anyDeal(r, "alice").GistID
	byHand := w.sim.AddGistDealByHand("alice", gistID)
	a := w.audit(r, gistdeal.AuditRequest{})
	if len(a.Discrepancies) != 1 || a.Discrepancies[0].Kind != gistdeal.DiscrepancyUnlinked || !a.Discrepancies[0].Repaired {
		t.Errorf("discrepancies %+v, want one that is repaired", a.Discrepancies)
	}
	if got := w.deals(r, "alice")[gistID]; got.State != gistdeal.DealCreated || got.DealID != byHand {
		t.Errorf("the deal is %+v, want %d", got, byHand)
	}
}
