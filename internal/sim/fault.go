package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is a way in which requests of the two APIs go wrong. Requests that a
// service turns away (no key, over a limit) meet no fault. Kinds:
//
//	latency       wait, then work and answer; the work is done even if the client leaves
//	slow          work, then wait, then answer
//	error-before  500, nothing done            error-after  502, the work is done
//	drop-before   connection cut, nothing done  drop-after  the same, the work is done
//	hang-before   no answer until the client leaves or Close; hang-after  the same, the work is done
//	truncate      the work is done, the answer ends in the middle
//	html403       Cloudflare's page            redirect     302 to another host
//	limit         429 of a burst; at GitHub the 403 of the secondary limit
//	spent         429, Pipedrive's day is spent (gh-primary: 403, GitHub's hour)
//	unauthorized  401                          payment      402
//	cap           403, the plan's open deals   forbidden    403, another reason
//	invalid       400 of a refused body        answer       Status, ContentType and Body
type Fault struct {
	Match       string            `json:"match"` // "METHOD /path-prefix"; "" = every request of both APIs
	Kind        string            `json:"kind"`
	Share       float64           `json:"share,omitempty"` // chance of each matching request; 0 = each
	Times       int               `json:"times,omitempty"` // hits until it ends; 0 = until cleared
	After       int               `json:"after,omitempty"` // matching requests that pass first
	Every       int               `json:"every,omitempty"` // of those that follow only each n-th; 0 = each
	Latency     time.Duration     `json:"-"`               // "latency" in JSON, as "1.5s"; of latency and slow
	Status      int               `json:"status,omitempty"`
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Header      map[string]string `json:"header,omitempty"` // over the headers of any kind that answers; "" leaves one out
}

// plainFault is a Fault without its JSON methods.
type plainFault Fault

type faultJSON struct {
	plainFault
	Latency string `json:"latency,omitempty"`
}

// MarshalJSON writes the latency as Go writes durations.
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{plainFault: plainFault(f)}
	if f.Latency != 0 {
		j.Latency = f.Latency.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes, of kinds that exist.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var j faultJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	*f = Fault(j.plainFault)
	if _, exists := effects[f.Kind]; !exists {
		return fmt.Errorf("fault: there is no kind %q", f.Kind)
	}
	if j.Latency == "" {
		return nil
	}
	d, err := time.ParseDuration(j.Latency)
	if err != nil {
		return fmt.Errorf("fault's latency: %w", err)
	}
	f.Latency = d
	return nil
}

// AddFault makes requests go wrong from now on. A request meets the matching
// faults in the order of their adding, up to the first that is not latency. A
// kind that does not exist answers 501.
func (s *Sim) AddFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.armed = append(s.faults.armed, &armed{Fault: f})
}

// ClearFaults ends all faults; requests that already wait go on waiting.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.armed = nil
}

type faults struct {
	armed  []*armed
	chance *rand.Rand
}

// armed is a fault and how often it matched and hit.
type armed struct {
	Fault
	matched, hits int
}

// hit is what happens to one request.
type hit struct {
	fault         Fault
	effect        effect
	before, after time.Duration // waits around the work
}

// strike returns what the faults do to a request.
func (f *faults) strike(c *call) hit {
	h := hit{effect: effect{work: true}}
	for _, a := range f.armed {
		if !a.matches(c) || !a.fires(f.chance) {
			continue
		}
		if a.Kind == latency {
			h.before += a.Latency
			continue
		}
		h.fault, h.effect = a.Fault, effectOf(a.Kind, f.chance)
		if a.Kind == "slow" {
			h.after = a.Latency
		}
		break
	}
	f.armed = slices.DeleteFunc(f.armed, func(a *armed) bool { return a.Times > 0 && a.hits >= a.Times })
	return h
}

func (a *armed) matches(c *call) bool {
	if a.Match == "" {
		return true
	}
	method, prefix, _ := strings.Cut(a.Match, " ")
	return method == c.Method && strings.HasPrefix(c.URL.Path, prefix)
}

func (a *armed) fires(chance *rand.Rand) bool {
	a.matched++
	if a.matched <= a.After || a.Every > 1 && (a.matched-a.After)%a.Every != 0 || a.Share > 0 && a.Share < 1 && chance.Float64() >= a.Share {
		return false
	}
	a.hits++
	return true
}

// ending is how an answer reaches the client.
type ending int

const (
	whole   ending = iota
	cut            // the connection breaks without an answer
	hang           // no answer until the client leaves
	halved         // half of the body, well-formed as HTTP
	severed        // half of the body, then the connection breaks
)

// send writes the answer, as far as the ending lets it.
func (s *Sim) send(w http.ResponseWriter, r *http.Request, a answer, end ending) {
	switch end {
	case hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler) // net/http's way to break a connection
	case cut:
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	if end == halved || end == severed {
		a.body = a.body[:len(a.body)/2]
	}
	if _, err := w.Write(a.body); err != nil {
		return // the client has left
	}
	if end == severed {
		// A ResponseWriter that cannot flush breaks off a little earlier.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
