package server

import (
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
)

const headerRequestID = "X-Request-Id"

// guard bounds what every request may send.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerRequestID, rand.Text()[:16])
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.ContentLength > maxBody {
			w.Header().Set("Connection", "close")
			refuseBody(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// refuseBody answers a request whose body is longer than any may be.
func refuseBody(w http.ResponseWriter) {
	refuse(w, http.StatusRequestEntityTooLarge, "Body too large", "no request needs more than "+strconv.Itoa(maxBody)+" bytes")
}

// allow lets only the route's methods through, and only those who may ask.
func (s *Server) allow(r route) http.HandlerFunc {
	allowed := strings.Join(r.methods, ", ")
	return func(w http.ResponseWriter, req *http.Request) {
		if !slices.Contains(r.methods, req.Method) {
			w.Header().Set("Allow", allowed)
			refuse(w, http.StatusMethodNotAllowed, "Method not allowed", req.Method+" is not possible here, but "+allowed)
			return
		}
		if r.open {
			r.handle(w, req, gistdeal.Caller{})
			return
		}
		caller, err := s.identify(req)
		if errors.Is(err, errNoToken) || errors.Is(err, errWrongToken) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="gistdeal"`)
			refuse(w, http.StatusUnauthorized, "Token needed", err.Error())
			return
		}
		if err != nil {
			s.fail(w, req, err)
			return
		}
		r.handle(w, req, caller)
	}
}

var (
	errNoToken    = errors.New("without a token gistdeal answers only its own machine, asked directly under a loopback name: send Authorization: Bearer <token>")
	errWrongToken = errors.New("there is no such token")
)

// identify returns who asks: the token's bearer, or everybody, who may do all,
// for a request without one that may do without. A token that is not known is an error also
// then: who sends one wants to be somebody, with visits of its own.
func (s *Server) identify(r *http.Request) (gistdeal.Caller, error) {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		caller, err := s.store.Caller(r.Context(), gistdeal.HashToken(strings.TrimSpace(token)))
		if gistdeal.KindOf(err) == gistdeal.NotFound {
			return caller, errWrongToken
		}
		return caller, err
	}
	if s.options.Open || isLocal(r) {
		return gistdeal.Caller{Name: gistdeal.Everybody, Scope: gistdeal.ScopeAdmin}, nil
	}
	return gistdeal.Caller{}, errNoToken
}

// isLocal reports whether a request was made on this machine, directly and
// under a name of this machine. The name matters: a page elsewhere can make
// its own name point here, and then its scripts ask us as their own server. A
// forwarding header means that a proxy stands between, and who asks is unknown.
func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded") {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// crossSite reports whether a page of another site made the browser send the request.
func crossSite(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") == "cross-site" }
