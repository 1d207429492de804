package sim

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// maxBody is the longest request body that either service reads.
const maxBody = 1 << 20

// Sim is both services. All its methods may be called at any time, also while
// it serves.
type Sim struct {
	mux    *http.ServeMux
	closed chan struct{}
	close  func()

	mu     sync.Mutex // guards everything below; never held while waiting
	o      Options
	hub    *hub
	crm    *crm
	faults faults
	log    traffic
}

// New returns an empty world: no users, a Pipedrive account with the pipelines
// "Pipeline" and "Gists" and without custom fields.
func New(o Options) *Sim {
	s := &Sim{o: o, closed: make(chan struct{}), log: newTraffic()}
	s.o.fill()
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.hub = newHub(&s.o)
	s.crm = newCRM(&s.o)
	s.faults.chance = rand.New(rand.NewPCG(o.Seed, 3))
	s.mux = s.routes()
	return s
}

// ServeHTTP answers requests of both APIs, of the control routes and of the page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close lets go of all requests that are waiting; later ones don't wait.
func (s *Sim) Close() { s.close() }

// Set changes options while the simulator runs. change must not call the simulator.
func (s *Sim) Set(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.o)
	s.o.fill()
}

// call is one request, read whole.
type call struct {
	*http.Request
	route  route
	body   []byte
	now    time.Time
	header http.Header // that every answer to this request carries
}

// answer is what a service says; its status is 0 if it says nothing. Services
// make answers under the lock and whole, so that a fault can hold back or cut
// what was truly done.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// remote is one of the two services.
type remote interface {
	// admit returns why a request is turned away before any work.
	admit(c *call) (refused answer, ok bool)
	// finish adds what each answer has to the answer of the work.
	finish(c *call, a answer) answer
	// broken returns an answer of that status as the service words it.
	broken(status int) answer
	// limited returns the refusal of too many requests at once, spent that of
	// too many in the hour or day.
	limited() answer
	spent(now time.Time) answer
}

// serve answers a route of one of the services.
func (s *Sim) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
			return
		}
		c := &call{Request: r, route: rt, body: body, header: http.Header{}}
		seen, a, hit := s.arrive(c)
		if a.status == 0 {
			a = s.carryOut(c, hit)
		}
		s.mu.Lock()
		seen.Status = a.status
		pause, date := s.o.Latency, s.o.Now()
		s.mu.Unlock()
		s.wait(r.Context(), pause)
		a.header.Set("Date", date.UTC().Format(http.TimeFormat))
		s.send(w, r, a, hit.effect.end)
	}
}

// arrive notes the request and returns the refusal or the faults that it meets.
func (s *Sim) arrive(c *call) (*Seen, answer, hit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.o.Now()
	seen := s.log.note(c)
	if refused, ok := c.route.remote.admit(c); !ok {
		return seen, merge(refused, c.header), hit{}
	}
	return seen, answer{}, s.faults.strike(c)
}

// carryOut does the work of a request, or not, as the fault that it met says.
func (s *Sim) carryOut(c *call, h hit) answer {
	// Services do carry out late what nobody waits for any more.
	s.wait(context.WithoutCancel(c.Context()), h.before)
	a := s.work(c, h)
	s.wait(c.Context(), h.after)
	return a
}

// work does the part of carryOut that needs the lock.
func (s *Sim) work(c *call, h hit) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := answer{header: http.Header{}}
	if h.effect.work {
		c.now = s.o.Now()
		a = merge(c.route.remote.finish(c, c.route.work(c)), c.header)
	}
	if h.effect.canned != nil {
		a = h.effect.canned(c, h.fault)
		if h.effect.own {
			a = merge(a, c.header)
		}
		for name, value := range h.fault.Header {
			a.header.Set(name, value)
			if value == "" {
				a.header.Del(name)
			}
		}
	}
	if h.effect.end == cut || h.effect.end == hang {
		a = answer{header: a.header}
	}
	return a
}

// wait waits for d, or until ctx ends or the simulator closes.
func (s *Sim) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.closed:
	}
}

// merge adds headers that an answer does not have itself.
func merge(a answer, header http.Header) answer {
	for name, values := range header {
		if _, exists := a.header[name]; !exists {
			a.header[name] = values
		}
	}
	return a
}

const jsonType = "application/json; charset=utf-8"

// reply is an answer with a JSON body.
func reply(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	return answer{status: status, body: body, header: http.Header{"Content-Type": {jsonType}}}
}
