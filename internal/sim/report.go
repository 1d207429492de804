package sim

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// Report is what has happened so far and what each gist got.
type Report struct {
	Requests    map[string]int     `json:"requests"`     // by route, as "GET /users/{login}/gists"
	RequestLog  []Seen             `json:"request_log"`  // the last 10,000
	Limited     int                `json:"limited"`      // requests refused by a limit, not by a fault
	Deals       int                `json:"deals"`        // that exist, archived ones too
	Gists       int                `json:"gists"`        // public ones
	ByGist      map[string][]int64 `json:"by_gist"`      // gist id to the deals that exist
	EverByGist  map[string][]int64 `json:"ever_by_gist"` // the same with the deals that were deleted
	WithoutDeal []string           `json:"without_deal"` // public gists that never got a deal
	Duplicated  map[string][]int64 `json:"duplicate"`    // gists with more than one deal
	PeakPer2s   int                `json:"peak_per_2s"`  // most Pipedrive requests in any 2 s, refused ones too
}

// Seen is one request of the two APIs. Status is 0 while it is unanswered, and
// for ever if it never was.
type Seen struct {
	Method string    `json:"method"`
	Path   string    `json:"path"` // with the query, without secrets
	Status int       `json:"status"`
	At     time.Time `json:"at"`
}

// Report returns the report as of now.
func (s *Sim) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Report{
		Requests: maps.Clone(s.log.requests), RequestLog: s.log.last(),
		Limited: s.hub.refused + s.crm.refused, PeakPer2s: s.log.peak,
		ByGist: map[string][]int64{}, EverByGist: map[string][]int64{}, WithoutDeal: []string{}, Duplicated: map[string][]int64{},
	}
	for _, d := range s.crm.deals {
		id := s.crm.gistOf(d)
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
	for id, p := range s.hub.posts {
		if p.Secret {
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

// kept is how many requests the log remembers.
const kept = 10_000

// traffic is what the simulator remembers of requests.
type traffic struct {
	requests map[string]int
	seen     []*Seen
	recent   []time.Time // Pipedrive requests of the last 2 s
	peak     int
}

func newTraffic() traffic { return traffic{requests: map[string]int{}} }

// note remembers a request. The caller fills in the status.
func (t *traffic) note(c *call) *Seen {
	t.requests[c.route.name]++
	seen := &Seen{Method: c.Method, Path: withoutSecrets(c.URL), At: c.now}
	if len(t.seen) >= 2*kept {
		t.seen = slices.Clone(t.seen[kept:])
	}
	t.seen = append(t.seen, seen)
	if _, ok := c.route.remote.(*crm); ok {
		t.recent = append(t.recent, c.now)
		for c.now.Sub(t.recent[0]) >= burstWindow {
			t.recent = t.recent[1:]
		}
		t.peak = max(t.peak, len(t.recent))
	}
	return seen
}

func (t *traffic) last() []Seen {
	list := []Seen{}
	for _, seen := range t.seen[max(0, len(t.seen)-kept):] {
		list = append(list, *seen)
	}
	return list
}

// withoutSecrets is the path and query with keys that some client put there left out.
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
