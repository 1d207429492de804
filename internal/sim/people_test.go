package sim_test

import (
	"net/http"
	"slices"
	"testing"

	"gistdeal/internal/sim"
)

func TestPeopleEditDealsAsInPipedrive(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{})
	const gist = "aa5a315d61ae9438b18d"
	first := s.AddGistDealByHand("octocat", gist)
	second := s.DuplicateDeal(first)
	if got := s.Report().ByGist[gist]; !slices.Equal(got, []int64{first, second}) {
		t.Fatalf("after a deal was duplicated the gist has the deals %v", got)
	}
	if code, _ := s.Field("Gist Access URL"); code == "" {
		t.Fatal("the field does not exist")
	} else {
		s.RenameField(code, "Address")
	}
	if got := s.Report().ByGist[gist]; len(got) != 2 {
		t.Errorf("after a field was renamed the gist has the deals %v", got)
	}
	if !s.EditDeal(second, map[string]string{"Address": "https://gist.github.com/octocat"}) {
		t.Error("the deal was not edited")
	}
	if got := s.Report().ByGist[gist]; !slices.Equal(got, []int64{first}) {
		t.Errorf("after the address of a person's page was written the gist has the deals %v", got)
	}
	other := s.AddDealByHand("a customer", nil)
	if !s.MergeDeals(first, other) {
		t.Error("the deals were not merged")
	}
	if got := s.Report().ByGist[gist]; !slices.Equal(got, []int64{other}) {
		t.Errorf("after a merge the gist has the deals %v, want %d", got, other)
	}
}

func TestADealThatWasMovedToAHiddenPipelineIsForbiddenAndNotListed(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	id := w.AddGistDealByHand("octocat", "aa5a315d61ae9438b18d")
	w.MoveDeal(id, "Gists")
	w.HidePipeline("Gists")
	w.Set(func(o *sim.Options) { o.Regular = true })
	want(t, w.get("/api/v2/deals/1"), http.StatusForbidden)
	if deals, _ := readList(t, w, "/api/v2/deals?limit=500", ""); len(deals) != 0 {
		t.Errorf("a list contains hidden deals: %v", deals)
	}
}
