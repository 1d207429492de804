package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gistdeal"
)

const (
	// requestRate is per second. The burst lets a page load its files and lists at
	// once, while a program that sends requests without end is slowed down.
	requestRate  = 50
	requestBurst = 200

	// wrongTokens is the number of wrong tokens that a client may send per minute.
	// It allows for typing errors.
	wrongTokens = 10

	// failedLogIns is the number of failed log-ins per minute that are recorded, so that many
	// clients cannot fill the audit log.
	failedLogIns = 60

	// maxClients is the size of a generation of remembered clients. There are at
	// most two generations.
	maxClients = 10_000
)

// client holds the limits of one client.
type client struct {
	requests *rate.Limiter
	wrong    *rate.Limiter // wrong tokens; concurrent ones may make its balance negative
}

// wait returns the time until the client may send a wrong token again, 0 if it may now.
func (c client) wait(now time.Time) time.Duration {
	missing := 1 - c.wrong.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(c.wrong.Limit()) * float64(time.Second))
}

// clients remembers recent clients in two generations. When the current generation
// is full it replaces the previous one, which forgets idle clients: their limits
// have recovered.
type clients struct {
	limit             int // clients per generation
	mu                sync.Mutex
	current, previous map[netip.Prefix]client
}

// of returns the client with that key.
func (k *clients) of(key netip.Prefix) client {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.current[key]; ok {
		return c
	}
	c, ok := k.previous[key]
	if !ok {
		c = client{
			requests: rate.NewLimiter(requestRate, requestBurst),
			wrong:    rate.NewLimiter(rate.Every(time.Minute/wrongTokens), wrongTokens),
		}
	}
	if k.current == nil || len(k.current) >= k.limit {
		k.current, k.previous = map[netip.Prefix]client{}, k.current
	}
	k.current[key] = c
	return c
}

// clientOf returns the client of a request.
func (s *Server) clientOf(r *http.Request) client { return s.clients.of(s.clientKey(r)) }

// clientKey returns the key of a client: its IPv4 address, or its IPv6 /64 network,
// which a provider assigns to one customer.
func (s *Server) clientKey(r *http.Request) netip.Prefix {
	addr := s.clientAddr(r)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	key, _ := addr.Prefix(bits) // All peers without a valid address are one client.
	return key
}

// ownProgram reports whether a program on this machine seems to have sent the
// request directly. A public URL means that strangers come too, and behind a
// proxy or a tunnel they look the same.
func (s *Server) ownProgram(r *http.Request) bool {
	return s.options.PublicURL == "" && peer(r).IsLoopback() && !forwarded(r)
}

// refuseRate refuses a request over the rate of its client, and reports whether it
// did. The headers of the answer tell the client its limit. Programs on this machine
// have none.
func (s *Server) refuseRate(w http.ResponseWriter, r *http.Request) bool {
	if s.ownProgram(r) {
		return false
	}
	c := s.clientOf(r)
	allowed := c.requests.Allow()
	c.setRateLimit(w.Header(), time.Now())
	if allowed {
		return false
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusTooManyRequests, "Too many requests", "this client sends too many requests: slow down")
	return true
}

// ratePolicy is the value of the header RateLimit-Policy: the burst, and the seconds
// in which a client without requests gets it back.
var ratePolicy = fmt.Sprintf(`"requests";q=%d;w=%d`, requestBurst, requestBurst/requestRate)

// setRateLimit sets the headers of draft-ietf-httpapi-ratelimit-headers-10: the
// policy, the requests that are left, and the seconds until all are back.
func (c client) setRateLimit(h http.Header, now time.Time) {
	left := max(0, int(c.requests.TokensAt(now)))
	h.Set("RateLimit-Policy", ratePolicy)
	h.Set("RateLimit", fmt.Sprintf(`"requests";r=%d;t=%d`, left, (requestBurst-left+requestRate-1)/requestRate))
}

// countWrong counts a wrong token against the client of the request, and records it. It
// returns err, or errManyWrong for a wrong token over the limit.
func (s *Server) countWrong(r *http.Request, source gistdeal.Source, err error) error {
	if errors.Is(err, errWrongToken) && !s.countFailure(r, source, err) {
		return errManyWrong
	}
	return err
}

// countFailure counts a failed log-in against the client of the request, and records it
// with its reason. It reports false over the limit.
func (s *Server) countFailure(r *http.Request, source gistdeal.Source, reason error) bool {
	c := s.clientOf(r)
	if c.wait(time.Now()) > 0 {
		return false
	}
	c.wrong.Reserve()
	if s.failures.Allow() {
		ctx := gistdeal.WithCaller(r.Context(), s.from(r, gistdeal.Caller{}, source))
		if failed := s.store.RecordFailedLogIn(ctx, reason.Error(), time.Now()); failed != nil {
			s.log.Error("log-in not recorded", "error", failed)
		}
	}
	return true
}
