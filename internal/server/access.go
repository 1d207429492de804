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
	"gistdeal/internal/problem"
)

// Auth selects the requests that need a token.
type Auth string

// The values of Auth.
const (
	AuthAuto  Auth = "auto"  // all except direct requests from this machine
	AuthToken Auth = "token" // all
	AuthNone  Auth = "none"  // none
)

// strictPolicy is the Content-Security-Policy of all answers except the page,
// which sets its own. It forbids everything, since no other answer is a page.
const strictPolicy = "default-src 'none'; frame-ancestors 'none'"

// guard limits the rate and the size of requests, and refuses changes by pages
// of other sites.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w.Header())
		if s.refuseRate(w, r) {
			return
		}
		if _, sent := credential(r); sent && s.refuseGuess(w, r) {
			return
		}
		// A page of another site cannot make a browser send a bearer token.
		if _, sent := bearerToken(r); !sent && s.origins.Check(r) != nil {
			refuse(w, http.StatusForbidden, "Cross-site request", "pages of other sites cannot change anything")
			return
		}
		limit := int64(maxBody)
		if strings.HasPrefix(r.URL.Path, apiPath) {
			limit = maxList
		}
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			refuseBody(w, limit)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// setHeaders sets the headers of every answer.
func (s *Server) setHeaders(h http.Header) {
	h.Set(problem.HeaderRequestID, rand.Text()[:16])
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", strictPolicy)
	if strings.HasPrefix(s.options.PublicURL, "https:") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuseBody answers a request with a body over the limit.
func refuseBody(w http.ResponseWriter, limit int64) {
	refuse(w, http.StatusRequestEntityTooLarge, "Body too large", "the body may have at most "+strconv.FormatInt(limit, 10)+" bytes")
}

// allow returns a handler that checks the method and identifies the caller before
// it calls the handler of the route.
func (s *Server) allow(r route) http.HandlerFunc {
	allowed := strings.Join(r.methods, ", ")
	return func(w http.ResponseWriter, req *http.Request) {
		if r.methods != nil && !slices.Contains(r.methods, req.Method) {
			w.Header().Set("Allow", allowed)
			refuse(w, http.StatusMethodNotAllowed, "Method not allowed", "this route accepts "+allowed+", not "+req.Method)
			return
		}
		if r.open {
			r.handle(w, req, gistdeal.Caller{})
			return
		}
		caller, err := s.identify(req)
		if err != nil {
			s.unidentified(w, req, err)
			return
		}
		r.handle(w, req, caller)
	}
}

var (
	errNoToken    = errors.New("a token is needed, except for direct requests from the same machine to a loopback address: send Authorization: Bearer <token>")
	errTokenOnly  = errors.New("every request needs a token: send Authorization: Bearer <token>")
	errWrongToken = errors.New("the token is unknown or revoked")
)

// unidentified answers a request for which identify returned an error. It clears
// a cookie with an unknown token, since the browser would send it again.
func (s *Server) unidentified(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, errNoToken) && !errors.Is(err, errTokenOnly) && !errors.Is(err, errWrongToken) {
		s.fail(w, r, err)
		return
	}
	if _, sent := cookieToken(r); sent && errors.Is(err, errWrongToken) {
		setCookie(w, r, "", 0)
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="gistdeal"`)
	refuse(w, http.StatusUnauthorized, "Token required", err.Error())
}

// identify returns the caller of a request: the bearer of its token, or Anonymous
// with all rights if the request has no token and needs none. An unknown token
// is always an error: its sender expects visits of its own.
func (s *Server) identify(r *http.Request) (gistdeal.Caller, error) {
	if token, sent := credential(r); sent {
		return s.callerOf(r, token)
	}
	if s.options.Auth == AuthToken {
		return gistdeal.Caller{}, errTokenOnly
	}
	if s.options.Auth == AuthNone || isLocal(r) {
		return gistdeal.Caller{Name: gistdeal.Anonymous, Scope: gistdeal.ScopeAdmin}, nil
	}
	return gistdeal.Caller{}, errNoToken
}

// credential returns the token of a request, and whether it has one.
func credential(r *http.Request) (string, bool) {
	if token, sent := bearerToken(r); sent {
		return token, true
	}
	return cookieToken(r)
}

// bearerToken returns the token of the header Authorization, and whether it has one.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// isLocal reports whether a request came directly from this machine, to a
// loopback name. The name matters because of DNS rebinding: another site can
// point its own name here, and its scripts then send same-origin requests. With
// a forwarding header the request came from a proxy, and its client is unknown.
func isLocal(r *http.Request) bool {
	if forwarded(r) || !peer(r).IsLoopback() {
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

// forwarded reports whether a proxy passed the request on.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded") {
			return true
		}
	}
	return false
}

// newOrigins returns a check that detects requests of pages of other sites. It
// trusts publicURL too: a proxy may use another host name than browsers do.
func newOrigins(publicURL string) *http.CrossOriginProtection {
	origins := http.NewCrossOriginProtection()
	if publicURL != "" {
		if err := origins.AddTrustedOrigin(publicURL); err != nil {
			panic(err) // A programming error: the caller of New checks the URL.
		}
	}
	return origins
}

// crossSite reports whether a page of another site may have caused the request. It
// ignores the method: even a GET of a user tracks it and records a visit.
func (s *Server) crossSite(r *http.Request) bool {
	return s.origins.Check(&http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}) != nil
}
