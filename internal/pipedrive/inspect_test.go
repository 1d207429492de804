package pipedrive_test

import (
	"slices"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// all are the permissions that the checks depend on.
var all = pipedrive.Permissions{AddDeals: true, AddFields: true}

func TestCheckingFieldsCreatesNone(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.SeedFields()
	missing, _, err := w.client.CheckFields(t.Context(), nil, all)
	if err != nil || !slices.Equal(missing, []string{pipedrive.FieldGistID}) {
		t.Errorf("missing: %v, %v", missing, err)
	}
	if n := w.requests(postField); n != 0 {
		t.Errorf("%d fields were created", n)
	}
	keys := w.prepare(t, nil)
	w.AddField(pipedrive.FieldGist, "text")
	if missing, _, err := w.client.CheckFields(t.Context(), keys, all); err != nil || len(missing) != 0 {
		t.Errorf("with the keys: %v, %v", missing, err)
	}
}

func TestAllMistakesAboutFieldsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddField(pipedrive.FieldGist, "enum")
	w.AddField(pipedrive.FieldGistID, "double")
	missing, _, err := w.client.CheckFields(t.Context(), nil, all)
	if !slices.Equal(missing, []string{pipedrive.FieldAuthor, pipedrive.FieldAccessURL}) || gistdeal.KindOf(err) != gistdeal.Unauthorized {
		t.Errorf("missing: %v, %v", missing, err)
	}
	for _, want := range []string{`of type "enum"`, `of type "double"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not contain %s: %v", want, err)
		}
	}
}

func TestTheTargetOfNewDealsIsCheckedByName(t *testing.T) {
	t.Parallel()
	for target, there := range map[gistdeal.Target]bool{
		{}: true, {Pipeline: "gists", Stage: "Done", Owner: "Ann Admin"}: true,
		{Pipeline: "Gifts"}: false, {Pipeline: "Gists", Stage: "Won"}: false, {Owner: "Nobody"}: false,
	} {
		w := begin(t, sim.Options{}, pipedrive.Options{Target: target})
		if err := w.client.CheckTarget(t.Context()); (err == nil) != there {
			t.Errorf("%v: %v", target, err)
		}
	}
}

func TestTheRateIsTheLowerOfAllowedAndConfigured(t *testing.T) {
	t.Parallel()
	_, url := testenv.Simulate(t, sim.Options{Burst: 40})
	for rate, want := range map[float64][2]float64{0: {10, 20}, 5: {5, 5}, 100: {100, 20}} {
		c, err := pipedrive.New(url, pipedrive.Options{Token: token, Rate: rate})
		if err != nil {
			t.Fatal(err)
		}
		before := c.Pace()
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, got := range []float64{before, c.Pace()} {
			if got > want[i] || got < 0.95*want[i] {
				t.Errorf("configured %g: a rate of %g, then %g, want about %v", rate, before, c.Pace(), want)
			}
		}
	}
}
