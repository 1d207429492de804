package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/testing/testenv"
)

// sent is what a request says about a new deal.
type sent struct {
	Title    string         `json:"title"`
	StageID  int64          `json:"stage_id"`
	LabelIDs []int64        `json:"label_ids"`
	Custom   map[string]any `json:"custom_fields"`
}

// posts record what each attempt sends, by gist id, and the decision that was stored then.
type posts struct {
	t    *testing.T
	next http.Handler
	code string // of the field Gist ID

	mu       sync.Mutex
	run      *run
	sent     map[string][]sent
	decided  map[string]*gistdeal.Content
	attempts int
}

// ServeHTTP notes a request for a new deal before the simulator gets it.
func (p *posts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method+" "+r.URL.Path == postDeal {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // The client has gone.
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.note(body)
	}
	p.next.ServeHTTP(w, r)
}

func (p *posts) note(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var one sent
	if err := json.Unmarshal(body, &one); err != nil {
		p.t.Error(err)
		return
	}
	id, _ := one.Custom[p.code].(string)
	h, err := p.run.store.Explain(p.t.Context(), id)
	if err != nil || h.State != gistdeal.DealSending {
		p.t.Errorf("gist %q is %s, and its deal is sent: %v", id, h.State, err)
	}
	p.sent[id] = append(p.sent[id], one)
	p.decided[id] = h.Content
	p.attempts++
}

func (p *posts) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts
}

// use sets the engine that sends the deals.
func (p *posts) use(r *run) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run = r
	return r
}

// versions are the rules of TestRulesChangeInTheMiddleOfABacklog: each part of a deal names
// the version of the rules.
const versions = 5

func versionRule(version int) rules.Rule {
	name := fmt.Sprint("v", version)
	return rules.Rule{
		Name: name, Action: gistdeal.RuleCreate, All: []rules.Condition{{Fact: rules.Login, Value: "octo*"}},
		Pipeline: "Versions", Stage: name, Label: name, Title: name + " of {{.GistID}}", Fields: []rules.Field{{Field: "Version", Template: name}},
	}
}

func TestRulesChangeInTheMiddleOfABacklog(t *testing.T) {
	t.Parallel()
	const gists = 40
	w := newWorld(t, sim.Options{Latency: 10 * time.Millisecond})
	var names []string
	for i := range versions {
		names = append(names, fmt.Sprint("v", i+1))
	}
	w.sim.AddPipeline("Versions", names...)
	w.sim.AddLabels(names...)
	versionCode := w.sim.AddField("Version", "varchar")
	w.sim.AddUser(sim.User{Login: "octocat", Gists: simGists("aa", gists)})
	seen := &posts{t: t, next: w.sim, sent: map[string][]sent{}, decided: map[string]*gistdeal.Content{}}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	w.url = server.URL
	r := seen.use(w.start())
	w.connected(r)
	seen.code, _ = w.sim.Field("Gist ID")
	save := func(version int) {
		_, err := rulesets.New(r.store).Save(t.Context(), rules.Set{Rules: []rules.Rule{versionRule(version)}}, int64(version-1))
		testenv.Must(t, err)
	}
	save(1)
	for i, kind := range []string{"drop-after", "error-after", "drop-before"} { // Answers are lost, and requests.
		w.sim.AddFault(sim.Fault{Match: postDeal, Kind: kind, After: 3 + i, Every: 6 + i, Times: 3})
	}
	testenv.Must(t, w.track(r, "octocat"))
	for version := 2; version <= versions; version++ {
		w.eventually("some deals were sent", func() bool { return seen.count() >= 5*(version-1) })
		save(version)
		again := rulesets.New(r.store)
		_, ids, err := again.Changes(t.Context())
		testenv.Must(t, err)
		for _, id := range ids {
			_, _, err := again.ApplyAgain(t.Context(), id, "")
			testenv.Must(t, err)
		}
		r.end()
		r = seen.use(w.start())
	}
	w.settled(r, "octocat")
	if n := len(w.sim.Deals()); n != gists || seen.count() <= gists {
		t.Errorf("%d deals of %d gists, after %d attempts", n, gists, seen.count())
	}
	if used := seen.compare(w, versionCode); len(used) < 2 {
		t.Errorf("%v, want deals of several versions", used)
	}
}

// compare checks that each deal is the one that was decided when it was sent, and that each of
// its attempts sent the same. It returns the number of deals by the version of their rules.
func (p *posts) compare(w *world, versionCode string) map[string]int {
	stages, used := map[int64]string{}, map[string]int{}
	catalog, err := rules.ReadCatalog(p.t.Context(), p.run.store)
	testenv.Must(p.t, err)
	for _, s := range catalog.Stages {
		stages[s.ID] = s.Name
	}
	for _, d := range w.sim.Deals() {
		id := d.Custom[p.code].(string)
		version, _, _ := strings.Cut(d.Title, " of ")
		used[version]++
		if d.Title != version+" of "+id || stages[d.StageID] != version || d.Custom[versionCode] != version || len(d.LabelIDs) != 1 {
			p.t.Errorf("a deal of several versions: %+v in the stage %q", d, stages[d.StageID])
		}
		h, err := p.run.store.Explain(p.t.Context(), id)
		testenv.Must(p.t, err)
		if c := p.decided[id]; c == nil || c.Title != d.Title || c.StageID != d.StageID || !reflect.DeepEqual(c.LabelIDs, d.LabelIDs) || !reflect.DeepEqual(h.Content, c) {
			p.t.Errorf("the deal is %+v, decided when it was sent was %+v, and stored is %+v", d, c, h.Content)
		}
		for _, one := range p.sent[id] {
			if one.Title != d.Title || one.StageID != d.StageID || !reflect.DeepEqual(one.LabelIDs, d.LabelIDs) || one.Custom[versionCode] != version {
				p.t.Errorf("the deal is %+v, and an attempt sent %+v", d, one)
			}
		}
	}
	return used
}
