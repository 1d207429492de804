package server

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
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

	// maxClients is the size of a generation of remembered clients. There are at
	// most two generations.
	maxClients = 10_000
)

// client holds the limits of one client.
type client struct {
	requests *rate.Limiter
	wrong    *rate.Limiter // wrong tokens; concurrent ones may make its balance negative
}

// wait returns the time until the client may send a token again, 0 if it may now.
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

// of returns the client of the request.
func (k *clients) of(r *http.Request) client {
	key := clientKey(r)
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

// clientKey returns the key of a client: its IPv4 address, or its IPv6 /64 network,
// which a provider assigns to one customer. Behind a proxy on this machine it is
// the last address in X-Forwarded-For.
func clientKey(r *http.Request) netip.Prefix {
	addr := peer(r)
	if addr.IsLoopback() {
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if client, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			addr = client.Unmap()
		}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	key, _ := addr.Prefix(bits) // All peers without a valid address are one client.
	return key
}

// peer returns the address of the connection, an invalid one if there is none.
func peer(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr().Unmap()
}

// ownProgram reports whether a program on this machine sent the request directly.
func ownProgram(r *http.Request) bool { return peer(r).IsLoopback() && !forwarded(r) }

// refuseRate refuses a request over the rate of its client, and reports whether it
// did. Programs on this machine have no limit.
func (s *Server) refuseRate(w http.ResponseWriter, r *http.Request) bool {
	if ownProgram(r) || s.clients.of(r).requests.Allow() {
		return false
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusTooManyRequests, "Too many requests", "this client sends too many requests: slow down")
	return true
}

// refuseGuess refuses a request with a token, right or wrong, if its client sent
// too many wrong ones. It reports whether it did.
func (s *Server) refuseGuess(w http.ResponseWriter, r *http.Request) bool {
	wait := s.clients.of(r).wait(time.Now())
	if wait == 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	refuse(w, http.StatusTooManyRequests, "Too many wrong tokens", "this client has sent too many wrong tokens: wait before you send another")
	return true
}

// callerOf returns the bearer of a token. A wrong token counts against the client.
func (s *Server) callerOf(r *http.Request, token string) (gistdeal.Caller, error) {
	hash := gistdeal.HashToken(token)
	caller, err := s.store.Caller(r.Context(), hash)
	if gistdeal.KindOf(err) == gistdeal.NotFound {
		s.clients.of(r).wrong.Reserve()
		return caller, errWrongToken
	}
	if err == nil {
		s.usage.add(hash, time.Now())
	}
	return caller, err
}
