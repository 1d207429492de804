package torture_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/testenv"
)

// versioned is a rule whose deals name its version in each part.
func versioned(version string) string {
	return fmt.Sprintf(`{"rules": [{"name": %[1]q, "action": "create", "title": "%[1]s of {{.GistID}}", "fields": [{"field": "Version", "template": "%[1]s {{.FirstLines}}"}]}]}`, version)
}

func TestKillsWhileRulesChangeInABacklogLoseAndDuplicateNothing(t *testing.T) {
	t.Parallel()
	const gists = 40
	s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1, Latency: 5 * time.Millisecond}))
	code := s.AddField("Version", "text")
	for i := range gists {
		s.AddGist("alice", sim.Gist{ID: fmt.Sprint("aa", i+10), Files: []sim.File{{Name: "a.md", Text: fmt.Sprint("text ", i+10)}}})
	}
	l := lives{t: t, database: filepath.Join(t.TempDir(), "test.db"), url: url, interval: "1h"}
	change := func(p *life, version int) {
		testenv.Eventually(t, "the rules are saved, or the program has died", func() bool {
			return p.send(http.MethodPut, "/api/v1/rules", versioned(fmt.Sprint("v", version))) == http.StatusOK || p.dead()
		}, p.out)
		p.send(http.MethodPost, "/api/v1/rules/apply", "") // The program may die.
	}
	for i, at := range []string{failpoint.Claimed + "#6", failpoint.Sent + "#5", failpoint.Answered + "#7", failpoint.Recorded + "#6", failpoint.Sent + "#4"} {
		p := l.start("kill=" + at)
		change(p, i+1)
		if i == 0 {
			p.send(http.MethodPost, "/api/v1/users", `{"users": ["alice"]}`)
		}
		testenv.Eventually(t, "the program has died at "+at, p.dead, p.out)
	}
	last := l.start("")
	change(last, 6)
	rule := map[string]string{} // of the decisions that are stored, by gist
	testenv.Eventually(t, "each gist has its deal", func() bool {
		for i := range gists {
			var stored struct{ State, Rule string }
			id := fmt.Sprint("aa", i+10)
			if err := json.Unmarshal([]byte(last.read("/api/v1/deals/"+id)), &stored); err != nil || stored.State != "created" {
				return false
			}
			rule[id] = stored.Rule
		}
		return true
	}, last.out)
	if r := s.Report(); r.Deals != gists || len(r.Duplicated) > 0 {
		t.Errorf("%d deals of %d gists, duplicated %v", r.Deals, gists, r.Duplicated)
	}
	gistID, _ := s.Field("Gist ID")
	used := map[string]int{}
	for _, d := range s.Deals() {
		id := d.Custom[gistID].(string)
		if d.Title != rule[id]+" of "+id || d.Custom[code] != rule[id]+" text "+strings.TrimPrefix(id, "aa") {
			t.Errorf("%+v, and stored is the rule %q", d, rule[id])
		}
		used[rule[id]]++
	}
	if len(used) < 4 {
		t.Errorf("%v, want deals of several versions", used)
	}
}

// read returns the answer to a GET request, "" without one.
func (p *life) read(path string) string {
	p.t.Helper()
	resp, err := http.Get(p.url + path) //nolint:noctx // The program dies.
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) //nolint:errcheck // It may be cut off.
	return string(text)
}
