package server

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gistdeal"
)

const (
	// burstSeconds is how many seconds of its rate a token may use up at once.
	burstSeconds = 4
	// expiresSoon is how long before its expiry a token in use is logged, once a day.
	expiresSoon = 7 * 24 * time.Hour
	// noticeExpired is the minimum time between two events of one expired token.
	noticeExpired = time.Hour
)

// rates limits the requests of tokens with a rate, in this process.
type rates struct {
	mu sync.Mutex
	of map[string]*rate.Limiter // by the name of the token
}

// allow reports whether the caller may send a request now.
func (k *rates) allow(c gistdeal.Caller) bool {
	if c.Rate == 0 {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.of[c.Name]
	if !ok || l.Limit() != rate.Limit(c.Rate) { // A later token of the name may have another rate.
		if k.of == nil {
			k.of = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Limit(c.Rate), burstSeconds*c.Rate)
		k.of[c.Name] = l
	}
	return l.Allow()
}

// notices remembers when events were logged, so that a busy client does not repeat them.
type notices struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether the event is to be logged now.
func (n *notices) due(event string, every time.Duration, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.last[event]; ok && now.Sub(last) < every {
		return false
	}
	if n.last == nil {
		n.last = map[string]time.Time{}
	}
	n.last[event] = now
	return true
}

// noticeExpiry logs the use of a token that has expired, or soon will.
func (s *Server) noticeExpiry(r *http.Request, t gistdeal.Token, now time.Time) {
	switch {
	case t.ExpiresAt.IsZero() || t.ExpiresAt.Sub(now) > expiresSoon:
	case t.Expired(now):
		if s.notices.due("expired "+t.Name, noticeExpired, now) {
			s.log.Warn("expired token refused", "name", t.Name, "expired_at", t.ExpiresAt, "client", addressText(s.clientAddr(r)))
		}
	case s.notices.due("expires "+t.Name, 24*time.Hour, now):
		s.log.Warn("token expires soon", "name", t.Name, "expires_at", t.ExpiresAt, "client", addressText(s.clientAddr(r)))
	}
}

// addressText returns the text of an address, "" if it is not valid.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
