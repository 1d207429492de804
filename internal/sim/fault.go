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

// Fault makes requests to the two APIs fail or slow down. It does not apply to
// requests that a service refuses (no key, over a limit). Kinds:
//
//	latency       waits before the request takes effect, even if the client disconnects
//	slow          waits between the effect and the response
//	error-before  500 without an effect        error-after  502 after the effect
//	drop-before   drops the connection without an effect; drop-after after the effect
//	hang-before   no effect, and no response until the client disconnects or Close; hang-after with the effect
//	truncate      takes effect and sends half of the response
//	html403       Cloudflare's page            redirect     302 to another host
//	limit         429 of the burst limit; at GitHub the 403 of the secondary limit
//	spent         429, Pipedrive's daily quota is spent; at GitHub and as gh-primary 403, the hourly quota; of GraphQL 200
//	unauthorized  401                          payment      402
//	cap           403, the plan's open deals   forbidden    403, another reason
//	invalid       400 of a refused body        answer       Status, ContentType and Body
type Fault struct {
	Match       string            `json:"match"` // "METHOD /path-prefix"; "" matches every request to both APIs
	Kind        string            `json:"kind"`
	Share       float64           `json:"share,omitempty"` // probability for each matching request; 0 means 1
	Times       int               `json:"times,omitempty"` // number of requests that fail; 0 = no limit
	After       int               `json:"after,omitempty"` // number of matching requests that succeed first
	Every       int               `json:"every,omitempty"` // of the following requests, only every n-th fails; 0 = all
	Latency     time.Duration     `json:"-"`               // of kinds latency and slow; "latency" in JSON, for example "1.5s"
	Status      int               `json:"status,omitempty"`
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Header      map[string]string `json:"header,omitempty"` // replaces headers of the response; "" removes a header
}

// plainFault is a Fault without its JSON methods.
type plainFault Fault

type faultJSON struct {
	plainFault
	Latency string `json:"latency,omitempty"`
}

// MarshalJSON encodes the latency as a duration string.
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{plainFault: plainFault(f)}
	if f.Latency != 0 {
		j.Latency = f.Latency.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reverses MarshalJSON. It returns an error if the kind does not exist.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var j faultJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	*f = Fault(j.plainFault)
	if _, exists := effects[f.Kind]; !exists {
		return fmt.Errorf("fault: unknown kind %q", f.Kind)
	}
	if j.Latency == "" {
		return nil
	}
	d, err := time.ParseDuration(j.Latency)
	if err != nil {
		return fmt.Errorf("fault: latency: %w", err)
	}
	f.Latency = d
	return nil
}

// AddFault adds a fault. Matching faults apply in the order in which they were
// added, up to the first one of a kind other than latency. It panics if the kind does not exist.
func (s *Sim) AddFault(f Fault) {
	if _, exists := effects[f.Kind]; !exists {
		panic(fmt.Sprintf("fault: unknown kind %q", f.Kind))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.active = append(s.faults.active, &activeFault{Fault: f})
}

// ClearFaults removes all faults. It does not affect requests that are already waiting.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.active = nil
}

type faults struct {
	active []*activeFault
	rng    *rand.Rand
}

// activeFault is a fault with the numbers of requests that it matched and hit.
type activeFault struct {
	Fault
	matched, hits int
}

// hit is the effect of the faults on one request.
type hit struct {
	fault         Fault
	effect        effect
	before, after time.Duration // waits before and after the request takes effect
}

// match returns the effect of the faults on a request.
func (f *faults) match(c *call) hit {
	h := hit{effect: effect{handled: true}}
	for _, a := range f.active {
		if !a.matches(c) || !a.fires(f.rng) {
			continue
		}
		if a.Kind == latency {
			h.before += a.Latency
			continue
		}
		h.fault, h.effect = a.Fault, effectOf(a.Kind, f.rng)
		if a.Kind == "slow" {
			h.after = a.Latency
		}
		break
	}
	f.active = slices.DeleteFunc(f.active, func(a *activeFault) bool { return a.Times > 0 && a.hits >= a.Times })
	return h
}

func (a *activeFault) matches(c *call) bool {
	if a.Match == "" {
		return true
	}
	method, prefix, _ := strings.Cut(a.Match, " ")
	return method == c.Method && strings.HasPrefix(c.URL.Path, prefix)
}

func (a *activeFault) fires(rng *rand.Rand) bool {
	a.matched++
	if a.matched <= a.After || a.Every > 1 && (a.matched-a.After)%a.Every != 0 || a.Share > 0 && a.Share < 1 && rng.Float64() >= a.Share {
		return false
	}
	a.hits++
	return true
}

// ending is the part of a response that reaches the client.
type ending int

const (
	complete         ending = iota
	dropped                 // the connection breaks without a response
	hung                    // no response until the client disconnects
	halved                  // half of the body, well-formed as HTTP
	halvedAndDropped        // half of the body, then the connection breaks
)

// send writes the part of the response that the ending allows.
func (s *Sim) send(w http.ResponseWriter, r *http.Request, a response, end ending) {
	switch end {
	case hung:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler) // net/http then closes the connection
	case dropped:
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	if end == halved || end == halvedAndDropped {
		a.body = a.body[:len(a.body)/2]
	}
	if _, err := w.Write(a.body); err != nil {
		return // the client has disconnected
	}
	if end == halvedAndDropped {
		// Without support for Flush, the connection breaks a little earlier.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
