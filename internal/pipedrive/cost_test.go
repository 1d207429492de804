package pipedrive_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/contract"
)

func TestEachCallIsCountedWithItsOfficialCost(t *testing.T) {
	t.Parallel()
	costs := readCosts(t)
	// The descriptions lack this call.
	costs = append(costs, priced{http.MethodGet, regexp.MustCompile("^/v1/users/[0-9]+/permissions$"), true, 2})
	var want atomic.Int64
	w := begin(t, sim.Options{}, pipedrive.Options{Target: gistdeal.Target{Pipeline: "Gists", Stage: "Done", Owner: "Ann Admin"}}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			want.Add(int64(costs.of(t, r)))
			next.ServeHTTP(w, r)
		})
	})
	var id int64
	codes := map[string]string{}
	for _, call := range []struct {
		what string
		do   func()
	}{
		{"whose key", func() { _, err := w.client.Me(t.Context()); noError(t, err) }},
		{"making fields", func() { codes = w.prepare(t, nil) }},
		{"finding fields", func() { w.prepare(t, codes) }},
		{"missing fields", func() { _, _, err := w.client.CheckFields(t.Context(), codes, all); noError(t, err) }},
		{"permissions", func() { _, err := w.client.Permissions(t.Context()); noError(t, err) }},
		{"pipelines", func() { _, _, err := w.client.Pipelines(t.Context()); noError(t, err) }},
		{"owners", func() { _, err := w.client.Owners(t.Context()); noError(t, err) }},
		{"where deals go", func() { noError(t, w.client.CheckTarget(t.Context())) }},
		{"making a deal", func() { id = w.mustCreate(t, hello) }},
		{"a deal", func() { _, err := w.client.Deal(t.Context(), id); noError(t, err) }},
		{"values of a deal", func() { _, err := w.client.DealValues(t.Context(), id, []string{codes["Gist"]}); noError(t, err) }},
		{"changing a deal", func() { noError(t, w.client.UpdateDeal(t.Context(), id, gistdeal.DealChange{Title: "new"})) }},
		{"writing a note", func() { noError(t, w.client.AddNote(t.Context(), id, "<p>edited</p>")) }},
		{"looking for a note", func() { _, err := w.client.HasNote(t.Context(), id, "edited"); noError(t, err) }},
		{"deals, also archived ones", func() { w.deals(t, time.Time{}) }},
		{"deleting a deal", func() { noError(t, w.client.DeleteDeal(t.Context(), id)) }},
	} {
		_, before := w.client.Used()
		want.Store(0)
		call.do()
		if _, after := w.client.Used(); int64(after-before) != want.Load() || want.Load() == 0 {
			t.Errorf("%s: counted as %d tokens, want %d", call.what, after-before, want.Load())
		}
	}
}

// costs are the token costs of calls in Pipedrive's descriptions.
type costs []priced

type priced struct {
	method string
	path   *regexp.Regexp
	plain  bool // without parameters: it goes before a path with some
	cost   int
}

func (all costs) of(t *testing.T, r *http.Request) (cost int) {
	for _, c := range all {
		if c.method == r.Method && c.path.MatchString(r.URL.Path) {
			if cost = c.cost; c.plain {
				break
			}
		}
	}
	if cost == 0 {
		t.Errorf("%s %s has no cost in the descriptions", r.Method, r.URL.Path)
	}
	return cost
}

// readCosts skips the test without the descriptions.
func readCosts(t *testing.T) (all costs) {
	t.Helper()
	parameter := regexp.MustCompile(`\{[^}]+\}`)
	for file, prefix := range map[string]string{"pipedrive-v2.json": "/api/v2", "pipedrive-v1.json": "/v1"} {
		text, err := os.ReadFile(filepath.Join(contract.SharedDir(t), "contracts", file))
		noError(t, err)
		var doc struct {
			Paths map[string]map[string]json.RawMessage `json:"paths"`
		}
		noError(t, json.Unmarshal(text, &doc))
		for path, methods := range doc.Paths {
			for method, described := range methods {
				var op struct {
					Cost int `json:"x-token-cost"`
				}
				if method == "parameters" || json.Unmarshal(described, &op) != nil || op.Cost == 0 {
					continue
				}
				pattern := regexp.MustCompile("^" + prefix + parameter.ReplaceAllString(path, "[^/]+") + "$")
				all = append(all, priced{strings.ToUpper(method), pattern, !strings.Contains(path, "{"), op.Cost})
			}
		}
	}
	return all
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
