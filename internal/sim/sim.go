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

// maxBody limits request bodies, in bytes.
const maxBody = 1 << 20

// Sim simulates both services. Its methods may be called concurrently, also while
// it serves requests.
type Sim struct {
	mux    *http.ServeMux
	closed chan struct{}
	close  func()

	mu        sync.Mutex // guards everything below; never held while waiting
	o         Options
	gitHub    *gitHub
	pipedrive *pipedrive
	faults    faults
	jitter    *rand.Rand
	log       requestLog
}

// New returns a simulator without GitHub users. Its Pipedrive account has the
// pipelines "Pipeline" and "Gists" and no custom fields.
func New(o Options) *Sim {
	s := &Sim{o: o, closed: make(chan struct{}), log: newRequestLog()}
	s.o.fill()
	s.close = sync.OnceFunc(func() { close(s.closed) })
	s.gitHub = newGitHub(&s.o)
	s.pipedrive = newPipedrive(&s.o)
	s.faults.rng = rand.New(rand.NewPCG(o.Seed, 3))
	s.jitter = rand.New(rand.NewPCG(o.Seed, 4))
	s.mux = s.routes()
	return s
}

// ServeHTTP serves both APIs, the control routes and the page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends the waits of all requests. Later requests do not wait.
func (s *Sim) Close() { s.close() }

// Set changes options while the simulator runs. change must not call the simulator.
func (s *Sim) Set(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.o)
	s.o.fill()
}

// call is one request with its complete body.
type call struct {
	*http.Request
	route  route
	body   []byte
	now    time.Time
	header http.Header // headers of every response to this request

	pause time.Duration // processing time, which the handler sets
	done  func()        // ends the request at the service; nil if there is nothing to end
}

// response is the response of a service; its status is 0 if there is none.
// Services build complete responses under the lock, so that a fault can delay or
// truncate the response after the request took effect.
type response struct {
	status int
	header http.Header
	body   []byte
}

// remote is one of the two services.
type remote interface {
	// admit reports whether the service accepts a request, and returns the
	// refusal if it does not.
	admit(c *call) (refused response, ok bool)
	// finish adds the headers that every response has to the response of a handler.
	finish(c *call, a response) response
	// errorResponse returns an error with that status in the service's format.
	errorResponse(status int) response
	// limited returns the refusal of too many requests at once; spent returns the
	// refusal of too many requests in the hour or day.
	limited() response
	spent(now time.Time) response
}

// serve returns the handler of a route of one of the services.
func (s *Sim) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
			return
		}
		c := &call{Request: r, route: rt, body: body, header: http.Header{}}
		s.travel(c)
		seen, a, hit := s.admit(c)
		if a.status == 0 {
			a = s.execute(c, hit)
		}
		s.mu.Lock()
		seen.Status = a.status
		if c.done != nil {
			c.done()
		}
		pause, date := s.o.Latency, s.o.Now().Add(s.o.DateShift)
		s.mu.Unlock()
		s.wait(r.Context(), pause)
		if _, set := a.header["Date"]; !set {
			a.header.Set("Date", date.UTC().Format(http.TimeFormat))
		}
		s.send(w, r, a, hit.effect.end)
	}
}

// admit records the request and returns the refusal, if any, or else the effect
// of the faults on it.
func (s *Sim) admit(c *call) (*Seen, response, hit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.o.Now()
	seen := s.log.record(c)
	if refused, ok := c.route.remote.admit(c); !ok {
		return seen, merge(refused, c.header), hit{}
	}
	return seen, response{}, s.faults.match(c)
}

// execute handles a request with the waits of its fault.
func (s *Sim) execute(c *call, h hit) response {
	// A late request takes effect even if its client has disconnected.
	s.wait(context.WithoutCancel(c.Context()), h.before)
	a := s.respond(c, h)
	s.wait(c.Context(), h.after+c.pause)
	return a
}

// respond is the part of execute that needs the lock.
func (s *Sim) respond(c *call, h hit) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := response{header: http.Header{}}
	if h.effect.handled {
		c.now = s.o.Now()
		a = merge(c.route.remote.finish(c, c.route.handle(c)), c.header)
	}
	if h.effect.replace != nil {
		a = h.effect.replace(c, h.fault)
		if h.effect.serviceHeaders {
			a = merge(a, c.header)
		}
	}
	for name, value := range h.fault.Header {
		a.header.Set(name, value)
		if value == "" {
			a.header[http.CanonicalHeaderKey(name)] = nil // net/http sends no Date of its own then
		}
	}
	if h.effect.end == dropped || h.effect.end == hung {
		a = response{header: a.header}
	}
	return a
}

// wait returns after d, or earlier if ctx ends or the simulator closes.
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

// merge adds the headers that the response does not have.
func merge(a response, header http.Header) response {
	for name, values := range header {
		if _, exists := a.header[name]; !exists {
			a.header[name] = values
		}
	}
	return a
}

const jsonType = "application/json; charset=utf-8"

// reply returns a response with a JSON body.
func reply(status int, value any) response {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	return response{status: status, body: body, header: http.Header{"Content-Type": {jsonType}}}
}
