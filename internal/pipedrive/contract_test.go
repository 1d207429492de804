package pipedrive_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

func TestAllCallsAgreeWithPipedrivesDescription(t *testing.T) {
	t.Parallel()
	contract.SharedDir(t)
	for _, status := range []int{200, 201} {
		w := begin(t, sim.Options{CreateStatus: status}, pipedrive.Options{Target: gistdeal.Target{Pipeline: "Gists", Stage: "Done", Owner: "Ann Admin"}}, func(next http.Handler) http.Handler {
			return contract.Check(t, next, contract.PipedriveV2, contract.PipedriveV1)
		})
		if _, err := w.client.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		codes := w.prepare(t, nil)
		w.prepare(t, codes)
		d := hello
		d.Description = strings.Repeat("🦉", 70_000)
		id := w.mustCreate(t, d)
		if _, err := w.client.Deal(t.Context(), id); err != nil {
			t.Error(err)
		}
		if err := w.client.DeleteDeal(t.Context(), id); err != nil {
			t.Error(err)
		}
		w.ArchiveDeal(w.mustCreate(t, gistdeal.Draft{GistID: "bb6b", Login: "u10"}))
		for i := range 501 {
			w.SeedDeal("octocat", fmt.Sprintf("%032x", i), "")
		}
		if n := len(w.deals(t, time.Time{})); n != 503 {
			t.Errorf("%d deals, want 503", n)
		}
		if n := len(w.deals(t, time.Now().Add(-time.Hour))); n != 2 {
			t.Errorf("%d new deals, want 2", n)
		}
		w.AddFault(sim.Fault{Match: postDeal, Kind: "answer", Status: 400, Body: refusal("stage_id: bad"), Times: 1})
		_, err := w.create(t, hello)
		wantKind(t, err, gistdeal.Invalid)
		for _, kind := range []string{"error-after", "limit", "html403", "unauthorized", "payment", "cap", "forbidden", "invalid"} {
			w.AddFault(sim.Fault{Kind: kind, Times: 2})
			if _, err := w.create(t, hello); err == nil {
				t.Error(kind, "succeeded")
			}
			if _, err := w.client.Me(t.Context()); err == nil {
				t.Error(kind, "succeeded")
			}
		}
	}
}
