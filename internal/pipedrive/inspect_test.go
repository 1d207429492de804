package pipedrive_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

func TestLookingForMissingFieldsMakesNone(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.SeedFields()
	missing, err := w.client.Missing(t.Context(), nil)
	if err != nil || !slices.Equal(missing, []string{pipedrive.FieldGistID}) {
		t.Errorf("missing: %v, %v", missing, err)
	}
	if n := w.requests(postField); n != 0 {
		t.Errorf("%d fields made", n)
	}
	keys := w.prepare(t, nil)
	w.AddField(pipedrive.FieldGist, "text")
	if missing, err := w.client.Missing(t.Context(), keys); err != nil || len(missing) != 0 {
		t.Errorf("with the keys: %v, %v", missing, err)
	}
}

func TestAllMistakesAboutFieldsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	first, second := w.AddField(pipedrive.FieldGist, "text"), w.AddField(pipedrive.FieldGist, "text")
	w.AddField(pipedrive.FieldGistID, "double")
	missing, err := w.client.Missing(t.Context(), nil)
	if !slices.Equal(missing, []string{pipedrive.FieldAuthor, pipedrive.FieldAccessURL}) || gistdeal.KindOf(err) != gistdeal.Unauthorized {
		t.Errorf("missing: %v, %v", missing, err)
	}
	for _, want := range []string{first, second, `of type "double"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s: %v", want, err)
		}
	}
}

func TestThePipelineAndStageAreCheckedByName(t *testing.T) {
	t.Parallel()
	for names, there := range map[[2]string]bool{
		{"", ""}: true, {"gists", "Done"}: true, {"Gifts", ""}: false, {"Gists", "Won"}: false,
	} {
		w := begin(t, sim.Options{}, pipedrive.Options{Pipeline: names[0], Stage: names[1]})
		if err := w.client.CheckStage(t.Context()); (err == nil) != there {
			t.Errorf("%v: %v", names, err)
		}
	}
}

func TestTheAccountTellsItsLimits(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{Burst: 40, DailyTokens: 1000})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := client(t, server.URL, pipedrive.Options{})
	if l := c.Limits(); l != (pipedrive.Limits{}) {
		t.Errorf("before any answer: %+v", l)
	}
	_, err := c.Me(t.Context())
	want := pipedrive.Limits{Burst: 40, DayTokens: 1000, DayTokensLeft: 998, DayWritesKnown: true, DayWritesLeft: 10_000}
	if got := c.Limits(); got != want || err != nil {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	s.Set(func(o *sim.Options) { o.NoRateHeaders = true })
	_, again := c.Me(t.Context())
	if got := c.Limits(); got != (pipedrive.Limits{}) || again != nil {
		t.Errorf("without headers: %+v, %v", got, errors.Join(err, again))
	}
}
