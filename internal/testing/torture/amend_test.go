package torture_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/failpoint"
	"gistdeal/internal/testing/testenv"
)

// following is a rule whose field Topic is updated, and whose notes tell of the field Teller.
const following = `{"rules": [{"name": "all", "action": "create", "fields": [
	{"field": "Topic", "template": "{{.Description}}", "on_edit": "update"}, {"field": "Teller", "template": "{{.Description}}", "on_edit": "note"}]}]}`

func TestAKillWhileADealFollowsItsGistChangesItOnce(t *testing.T) {
	t.Parallel()
	for _, at := range []string{failpoint.AmendIntended + "#1", failpoint.AmendWritten + "#1", failpoint.AmendWritten + "#2"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s, url := testenv.Simulate(t, testenv.Unlimited(sim.Options{Seed: 1}))
			topic := s.AddField("Topic", "varchar")
			s.AddField("Teller", "varchar")
			s.AddGist("alice", sim.Gist{ID: "aa01", Description: "first"})
			l := lives{t: t, database: filepath.Join(t.TempDir(), "test.db"), url: url, interval: "3s"}
			first := l.start("kill=" + at)
			testenv.Eventually(t, "the rule is saved", func() bool { return first.send(http.MethodPut, "/api/v1/rules", following) == http.StatusOK }, first.out)
			if status := first.send(http.MethodPost, "/api/v1/users", `{"users": ["alice"]}`); status != http.StatusOK {
				t.Fatalf("alice is added with status %d", status)
			}
			testenv.Eventually(t, "the gist has a deal", func() bool { return len(s.Deals()) == 1 }, first.out)
			s.EditGist("aa01", func(g *sim.Gist) { g.Description, g.UpdatedAt = "second", time.Now().Add(time.Minute) })
			testenv.Eventually(t, "the program has died", first.dead, first.out)
			second := l.start("clock=10m") // The next attempt is two minutes later.
			testenv.Eventually(t, "the deal has followed", func() bool { return strings.Contains(second.out.String(), `"msg":"deal updated"`) }, second.out)
			notes := s.Notes(1)
			if d := s.Deals(); len(d) != 1 || d[0].Custom[topic] != "second" || len(notes) != 1 || !strings.Contains(notes[0], "Teller: second") {
				t.Errorf("%+v with the notes %q, want the second topic and one note\n%s", d, notes, second.out)
			}
		})
	}
}

// send sends a request and returns the status, 0 without an answer.
func (p *life) send(method, path, body string) int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	testenv.Must(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
