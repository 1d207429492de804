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
		change := gistdeal.DealChange{Title: "new", StageID: 6, Fields: []gistdeal.FieldValue{{Code: codes[pipedrive.FieldGist], Value: "new"}}}
		if err := w.client.UpdateDeal(t.Context(), id, change); err != nil {
			t.Error(err)
		}
		v, err := w.client.DealValues(t.Context(), id, []string{codes[pipedrive.FieldGist]})
		if err != nil || !v.Editable || !v.Open || v.Title != "new" || v.StageID != 6 || len(v.Fields) != 1 || v.Fields[codes[pipedrive.FieldGist]] != "new" {
			t.Errorf("%+v, %v", v, err)
		}
		for i := range 101 {
			if err := w.client.AddNote(t.Context(), id, fmt.Sprintf("<p>note-%d.</p>", i)); err != nil {
				t.Fatal(err)
			}
		}
		if has, err := w.client.HasNote(t.Context(), id, "note-101."); has || err != nil {
			t.Errorf("a note that does not exist: %v, %v", has, err)
		}
		if has, err := w.client.HasNote(t.Context(), id, "note-100."); !has || err != nil {
			t.Errorf("a note on the second page: %v, %v", has, err)
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
		_, err = w.create(t, hello)
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
