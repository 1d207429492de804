package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peer returns the address of the connection, an invalid one if there is none.
func peer(r *http.Request) netip.Addr {
	addr, _ := parseHop(r.RemoteAddr)
	return addr
}

// parseHop returns the address in text, which may have a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

// trusts reports whether addr is a trusted proxy.
func (s *Server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// clientAddr returns the address of the client: the peer, or behind trusted proxies
// the last address in X-Forwarded-For that is not one of theirs. A client can only
// choose the addresses before that one.
func (s *Server) clientAddr(r *http.Request) netip.Addr {
	addr := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.trusts(addr) {
			break
		}
		before, ok := parseHop(hop)
		if !ok {
			break
		}
		addr = before
	}
	return addr
}

// encrypted reports whether browsers use TLS, to this server or to a proxy.
func (s *Server) encrypted(r *http.Request) bool {
	return strings.HasPrefix(s.options.PublicURL, "https:") || r.TLS != nil ||
		s.trusts(peer(r)) && r.Header.Get("X-Forwarded-Proto") == "https"
}
