package sim

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// Report describes all requests and the deals of each gist so far.
type Report struct {
	Requests    map[string]int     `json:"requests"`     // by route, for example "GET /users/{login}/gists"
	RequestLog  []Seen             `json:"request_log"`  // the last 10,000
	Tokens      int                `json:"tokens"`       // Pipedrive tokens of all requests
	Points      int                `json:"points"`       // points of all GraphQL queries
	Limited     int                `json:"limited"`      // requests refused by a limit, not by a fault
	Deals       int                `json:"deals"`        // existing deals, including archived ones
	Gists       int                `json:"gists"`        // public gists, without those of strangers and the generated ones of synthetic users
	ByGist      map[string][]int64 `json:"by_gist"`      // existing deals by gist id
	EverByGist  map[string][]int64 `json:"ever_by_gist"` // existing and deleted deals by gist id
	WithoutDeal []string           `json:"without_deal"` // public gists that never got a deal
	Duplicated  map[string][]int64 `json:"duplicate"`    // gists with more than one deal
	PeakPer2s   int                `json:"peak_per_2s"`  // most Pipedrive requests in any 2 s, including refused ones
}

// Seen is one request to either API. Status is 0 until the response is ready, and
// stays 0 if the request gets no response.
type Seen struct {
	Method string    `json:"method"`
	Path   string    `json:"path"` // with the query, but without secrets
	Status int       `json:"status"`
	At     time.Time `json:"at"`
}

// Report returns a report of the current state.
func (s *Sim) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Report{
		Requests: maps.Clone(s.log.requests), RequestLog: s.log.last(),
		Tokens: s.pipedrive.everSpent, Points: s.gitHub.graphQL.points, Limited: s.gitHub.refused + s.pipedrive.refused, PeakPer2s: s.log.peak,
		ByGist: map[string][]int64{}, EverByGist: map[string][]int64{}, WithoutDeal: []string{}, Duplicated: map[string][]int64{},
	}
	for _, d := range s.pipedrive.deals {
		id := s.pipedrive.gistOf(d)
		if id != "" {
			r.EverByGist[id] = append(r.EverByGist[id], d.id)
		}
		if d.IsDeleted {
			continue
		}
		r.Deals++
		if id != "" {
			r.ByGist[id] = append(r.ByGist[id], d.id)
		}
	}
	for id, deals := range r.ByGist {
		if len(deals) > 1 {
			r.Duplicated[id] = slices.Clone(deals)
		}
	}
	for id, p := range s.gitHub.gists {
		if p.Secret || p.generated || p.owner.stranger {
			continue
		}
		r.Gists++
		if r.EverByGist[id] == nil {
			r.WithoutDeal = append(r.WithoutDeal, id)
		}
	}
	slices.Sort(r.WithoutDeal)
	return r
}

// maxLogged is the number of requests in Report.RequestLog.
const maxLogged = 10_000

// requestLog records requests.
type requestLog struct {
	requests map[string]int
	seen     []*Seen
	recent   []time.Time // Pipedrive requests of the last 2 s
	peak     int
}

func newRequestLog() requestLog { return requestLog{requests: map[string]int{}} }

// record records a request. The caller sets the status.
func (t *requestLog) record(c *call) *Seen {
	t.requests[c.route.name]++
	seen := &Seen{Method: c.Method, Path: withoutSecrets(c.URL), At: c.now}
	if len(t.seen) >= 2*maxLogged {
		t.seen = slices.Clone(t.seen[maxLogged:])
	}
	t.seen = append(t.seen, seen)
	if _, ok := c.route.remote.(*pipedrive); ok {
		t.recent = append(t.recent, c.now)
		for c.now.Sub(t.recent[0]) >= burstWindow {
			t.recent = t.recent[1:]
		}
		t.peak = max(t.peak, len(t.recent))
	}
	return seen
}

func (t *requestLog) last() []Seen {
	list := []Seen{}
	for _, seen := range t.seen[max(0, len(t.seen)-maxLogged):] {
		list = append(list, *seen)
	}
	return list
}

// withoutSecrets returns the path and query, with keys in the query masked.
func withoutSecrets(u *url.URL) string {
	q := u.Query()
	for _, name := range []string{"api_token", "access_token"} {
		if q.Has(name) {
			q.Set(name, "***")
		}
	}
	if len(q) == 0 {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + q.Encode()
}
