package pipedrive_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func TestStagesAreResolvedByName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pipeline, stage string
		want            int64
		kind            gistdeal.Kind
		words           []string
	}{
		{want: 1},
		{pipeline: "Pipeline", want: 1},
		{pipeline: "Gists", want: 6},
		{pipeline: " gISTS\t", want: 6},
		{pipeline: "Gists", stage: "Done", want: 7},
		{pipeline: "gists", stage: "DONE ", want: 7},
		{stage: "Proposal made", want: 4},
		{stage: "new", want: 6},
		{pipeline: "Gits", kind: gistdeal.Unauthorized, words: []string{`"Gits"`, `"Pipeline"`, `"Gists"`, "GISTDEAL_PIPELINE"}},
		{pipeline: "Gists", stage: "Qualified", kind: gistdeal.Unauthorized, words: []string{`"Qualified"`, `"New"`, `"Done"`, "GISTDEAL_STAGE"}},
		{stage: "Old", kind: gistdeal.Unauthorized, words: []string{`"Old"`, `"Negotiations Started"`, `"Done"`}},
	} {
		t.Run(tt.pipeline+"/"+tt.stage, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Pipeline: tt.pipeline, Stage: tt.stage}})
			_, err := w.client.Prepare(t.Context(), nil)
			if tt.kind != gistdeal.Internal {
				wantKind(t, err, tt.kind, tt.words...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := w.deal(t, w.mustCreate(t, hello)).StageID; got != tt.want {
				t.Errorf("stage %d, want %d", got, tt.want)
			}
		})
	}
}

// withStages replaces the simulator's list of stages.
func withStages(stages http.HandlerFunc) func(http.Handler) http.Handler {
	return withAnswer("GET /api/v2/stages", stages)
}

// withAnswer replaces the simulator's answers to matching requests.
func withAnswer(match string, answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.Handle(match, answer)
		return mux
	}
}

func TestTheFirstStageIsTheFirstInThePipelinesOrder(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Pipeline: "Pipeline"}}, withStages(reply(200, `{"success":true,"data":[
		{"id":1,"name":"Last","order_nr":3,"pipeline_id":1},
		{"id":2,"name":"Gone","order_nr":0,"pipeline_id":1,"is_deleted":true},
		{"id":3,"name":"First","order_nr":1,"pipeline_id":1},
		{"id":4,"name":"Second","order_nr":2,"pipeline_id":1}]}`)))
	w.prepare(t, nil)
	if got := w.deal(t, w.mustCreate(t, hello)).StageID; got != 3 {
		t.Errorf("stage %d, want 3", got)
	}
}

func TestAnAmbiguousStageNameIsRefused(t *testing.T) {
	t.Parallel()
	stages := withStages(reply(200, `{"success":true,"data":[{"id":1,"name":"New","pipeline_id":1},
		{"id":6,"name":"new ","pipeline_id":2},{"id":8,"name":"Odd","pipeline_id":2,"is_deleted":true}]}`))
	for stage, words := range map[string]string{"New": "GISTDEAL_PIPELINE", "Odd": `no stage "Odd"`} {
		w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Stage: stage}}, stages)
		_, err := w.client.Prepare(t.Context(), nil)
		wantKind(t, err, gistdeal.Unauthorized, stage, words)
	}
	w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Pipeline: "Gists"}}, withStages(reply(200, `{"success":true,"data":[]}`)))
	_, err := w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, `"Gists" has no stage`)
}

func TestAFailedListOfStagesIsAnError(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"GET /api/v2/pipelines", "GET /api/v2/stages"} {
		w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Pipeline: "Gists", Stage: "Done"}})
		w.AddFault(sim.Fault{Match: match, Kind: "truncate"})
		_, err := w.client.Prepare(t.Context(), nil)
		wantKind(t, err, gistdeal.Temporary)
	}
}

func TestADeletedStageFailsNoDeal(t *testing.T) {
	t.Parallel()
	goneIsNoFaultOfTheDeal(t, gistdeal.Target{Stage: "Done"}, "GET /api/v2/stages",
		`{"id":6,"name":"New","pipeline_id":2}`, `{"id":7,"name":"Done","pipeline_id":2}`,
		"Validation failed: stage_id: The stage does not exist", "the stage", `"Done"`)
}

// goneIsNoFaultOfTheDeal makes Pipedrive refuse a deal with those words, first
// while the list contains the target of new deals and then without it.
func goneIsNoFaultOfTheDeal(t *testing.T, target gistdeal.Target, list, stays, goes, words, what, name string) {
	t.Helper()
	var gone atomic.Bool
	w := begin(t, sim.Options{}, pipedrive.Options{Target: target}, withAnswer(list, func(w http.ResponseWriter, r *http.Request) {
		items := stays
		if !gone.Load() {
			items += "," + goes
		}
		reply(200, `{"success":true,"data":[`+items+`]}`)(w, r)
	}))
	w.prepare(t, nil)
	w.AddFault(sim.Fault{Match: postDeal, Kind: "answer", Status: 400, Body: refusal(words)})
	_, err := w.create(t, hello)
	wantKind(t, err, gistdeal.Invalid, words)
	gone.Store(true)
	_, err = w.create(t, hello)
	wantKind(t, err, gistdeal.Unauthorized, what, "deleted", words)
	_, err = w.client.Prepare(t.Context(), nil)
	wantKind(t, err, gistdeal.Unauthorized, name)
}
