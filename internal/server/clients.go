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
	// A page loads its files and lists at once; a program that scans goes on and on.
	requestRate  = 50
	requestBurst = 200

	// wrongTokens is how many a client may send in a minute: people mistype them.
	wrongTokens = 10

	// manyClients is of how many clients something is remembered, twice that
	// at the most: those that came last.
	manyClients = 10_000
)

// client is the state of one client.
type client struct {
	requests *rate.Limiter
	wrong    *rate.Limiter // tokens; those tried at the same time may leave it in debt
}

// wait returns how long the client must wait before it may send a token again.
func (c client) wait(now time.Time) time.Duration {
	missing := 1 - c.wrong.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(c.wrong.Limit()) * float64(time.Second))
}

// clients remembers the clients that came last. It forgets the others by the
// thousand: a client that was long away has nothing held against it.
type clients struct {
	limit        int
	mu           sync.Mutex
	last, before map[netip.Prefix]client
}

// of returns the client that sent the request.
func (k *clients) of(r *http.Request) client {
	key := clientKey(r)
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.last[key]; ok {
		return c
	}
	c, ok := k.before[key]
	if !ok {
		c = client{
			requests: rate.NewLimiter(requestRate, requestBurst),
			wrong:    rate.NewLimiter(rate.Every(time.Minute/wrongTokens), wrongTokens),
		}
	}
	if k.last == nil || len(k.last) >= k.limit {
		k.last, k.before = map[netip.Prefix]client{}, k.last
	}
	k.last[key] = c
	return c
}

// clientKey returns the key of a client: its IPv4 address, or the IPv6 prefix that a
// provider gives to one customer. A proxy on this machine serves many clients and
// appends their address last.
func clientKey(r *http.Request) netip.Prefix {
	addr := peer(r)
	if addr.IsLoopback() {
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if behind, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			addr = behind.Unmap()
		}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	key, _ := addr.Prefix(bits) // An address that is none is one client.
	return key
}

// peer returns the address of the connection's peer; an invalid one if it has none.
func peer(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr().Unmap()
}

// ownProgram reports whether a program of this machine sent the request itself.
func ownProgram(r *http.Request) bool { return peer(r).IsLoopback() && !forwarded(r) }

// tooMany answers a client that sends more requests than it may, and reports
// whether it did. This machine's own programs may send as many as they like.
func (s *Server) tooMany(w http.ResponseWriter, r *http.Request) bool {
	if ownProgram(r) || s.clients.of(r).requests.Allow() {
		return false
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusTooManyRequests, "Too many requests", "this client sends more requests than one may; slow down")
	return true
}

// guesses answers a client that has sent so many wrong tokens that the next one
// is not looked at, right or wrong, and reports whether it did.
func (s *Server) guesses(w http.ResponseWriter, r *http.Request) bool {
	wait := s.clients.of(r).wait(time.Now())
	if wait == 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	refuse(w, http.StatusTooManyRequests, "Too many wrong tokens", "this client has sent too many wrong tokens; wait before you send another")
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
		s.usage.note(hash, time.Now())
	}
	return caller, err
}
