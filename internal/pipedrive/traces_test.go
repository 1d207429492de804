package pipedrive_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

// addDeal creates a deal as another program does; custom has the values by field code.
func (w world) addDeal(t *testing.T, title string, custom map[string]string) {
	t.Helper()
	var parts []string
	for code, text := range custom {
		parts = append(parts, fmt.Sprintf("%q:%q", code, text))
	}
	body := fmt.Sprintf(`{"title":%q,"custom_fields":{%s}}`, title, strings.Join(parts, ","))
	r := httptest.NewRequest(http.MethodPost, "/api/v2/deals", strings.NewReader(body))
	r.Header.Set("x-api-token", token)
	answer := httptest.NewRecorder()
	if w.ServeHTTP(answer, r); answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
}

const (
	gistID  = "aa5a315d61ae9438b18d"
	gistURL = "https://gist.github.com/octocat/" + gistID
)

func TestRenamedFieldsAreRecognisedByTheirValues(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		title string
		texts map[string]string // by the name of the field in Pipedrive
		want  map[string]string // name in Pipedrive by our name
	}{
		"a deal of ours": {
			"Gist from octocat",
			map[string]string{"A": gistID, "B": gistURL, "C": "https://gist.github.com/octocat", "D": "x"},
			map[string]string{pipedrive.FieldGistID: "A", pipedrive.FieldAccessURL: "B", pipedrive.FieldAuthor: "C"},
		},
		"with another title": {
			"Octo's deal", map[string]string{"A": gistID, "B": gistURL}, map[string]string{pipedrive.FieldGistID: "A", pipedrive.FieldAccessURL: "B"},
		},
		"without its URL": {"Gist from octocat", map[string]string{"A": gistID, "B": "12"}, map[string]string{pipedrive.FieldGistID: "A"}},
		"only a URL":      {"Octo's deal", map[string]string{"A": gistURL}, map[string]string{pipedrive.FieldAccessURL: "A"}},
		"a page of GitHub": {
			"Octo's deal", map[string]string{"A": "https://gist.github.com/discover", "B": "https://gist.github.com/octocat/starred"}, nil,
		},
		"an id of something else": {"Octo's deal", map[string]string{"A": gistID}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, sim.Options{}, pipedrive.Options{})
			codes, custom := map[string]string{}, map[string]string{}
			for field, text := range tt.texts {
				codes[field] = w.AddField(field, "varchar")
				custom[codes[field]] = text
			}
			w.addDeal(t, tt.title, custom)
			got := w.prepare(t, nil)
			for _, ours := range pipedrive.FieldNames {
				created, _ := w.Field(ours)
				want := codes[tt.want[ours]]
				if want == "" {
					want = created
				}
				if got[ours] != want {
					t.Errorf("%q is %s, want %s (%q)", ours, got[ours], want, tt.want[ours])
				}
			}
		})
	}
}

func TestAFieldForLinksIsNotTakenForThatOfGists(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	website := w.AddField("Website", "varchar")
	w.addDeal(t, "A", map[string]string{website: gistURL})
	w.addDeal(t, "B", map[string]string{website: "https://example.com"})
	if codes := w.prepare(t, nil); codes[pipedrive.FieldAccessURL] == website {
		t.Error("the field with other links too was used")
	}
}

func TestDealsOfGistsWithoutAFieldThatTellsThemStopPrepare(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.addDeal(t, "Gist from the fair", nil) // not a login
	w.prepare(t, nil)
	for _, name := range pipedrive.FieldNames {
		code, _ := w.Field(name)
		w.DeleteField(code)
	}
	w.addDeal(t, "Gist from octocat", nil)
	again := client(t, w.url, pipedrive.Options{})
	for range 2 {
		_, err := again.Prepare(t.Context(), nil)
		wantKind(t, err, gistdeal.Unauthorized, `1 deals titled "Gist from ..."`, `create the field "Gist ID"`)
	}
	if n := w.requests(listDeals); n != 2 {
		t.Errorf("deals were listed %d times, want once by each client", n)
	}
	w.AddField(pipedrive.FieldGistID, "varchar")
	if _, err := again.Prepare(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestTheLookForEarlierDealsHasALimit(t *testing.T) {
	t.Parallel()
	w := begin(t, sim.Options{}, pipedrive.Options{})
	w.AddDeals(10_001)
	w.prepare(t, nil)
	if n := w.requests(listDeals); n != 20 {
		t.Errorf("%d pages were read, want 20", n)
	}
	w.prepare(t, w.prepare(t, nil))
	if n := w.requests(listDeals); n != 40 {
		t.Errorf("%d pages were read, want no more once the fields are known", n-20)
	}
}
