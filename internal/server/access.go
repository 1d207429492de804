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

// Auth says which requests need a token.
type Auth string

// The values of Auth.
const (
	AuthAuto  Auth = "auto"  // all but those that are made on this machine, directly
	AuthToken Auth = "token" // all
	AuthNone  Auth = "none"  // none
)

// policy lets nothing in: no answer is a page but the page's own, which says so itself.
const policy = "default-src 'none'; frame-ancestors 'none'"

// guard limits the size and the rate of all requests, and keeps pages of other sites
// from changing anything.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.secure(w.Header())
		if s.tooMany(w, r) {
			return
		}
		if _, sent := credential(r); sent && s.guesses(w, r) {
			return
		}
		// No page elsewhere can have a browser send a bearer token.
		if _, sent := bearerToken(r); !sent && s.origins.Check(r) != nil {
			refuse(w, http.StatusForbidden, "Cross-site request", "a page of another site cannot change anything here")
			return
		}
		most := int64(maxBody)
		if strings.HasPrefix(r.URL.Path, apiPath) {
			most = maxList
		}
		if r.ContentLength > most {
			w.Header().Set("Connection", "close")
			refuseBody(w, most)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers that every answer has.
func (s *Server) secure(h http.Header) {
	h.Set(problem.HeaderRequestID, rand.Text()[:16])
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy)
	if strings.HasPrefix(s.options.PublicURL, "https:") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuseBody answers a request with a body over the limit.
func refuseBody(w http.ResponseWriter, most int64) {
	refuse(w, http.StatusRequestEntityTooLarge, "Body too large", "no request like this needs more than "+strconv.FormatInt(most, 10)+" bytes")
}

// allow refuses methods that the route does not have, and callers without access.
func (s *Server) allow(r route) http.HandlerFunc {
	allowed := strings.Join(r.methods, ", ")
	return func(w http.ResponseWriter, req *http.Request) {
		if r.methods != nil && !slices.Contains(r.methods, req.Method) {
			w.Header().Set("Allow", allowed)
			refuse(w, http.StatusMethodNotAllowed, "Method not allowed", req.Method+" is not possible here, but "+allowed)
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
	errNoToken    = errors.New("without a token gistdeal answers only its own machine, asked directly under a loopback name: send Authorization: Bearer <token>")
	errTokenOnly  = errors.New("this server answers no request without a token: send Authorization: Bearer <token>")
	errWrongToken = errors.New("there is no such token")
)

// unidentified answers a request of which identify returned an error. A cookie
// that has lost its token is taken back: nobody sends one on purpose.
func (s *Server) unidentified(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, errNoToken) && !errors.Is(err, errTokenOnly) && !errors.Is(err, errWrongToken) {
		s.fail(w, r, err)
		return
	}
	if _, sent := cookieToken(r); sent && errors.Is(err, errWrongToken) {
		setCookie(w, r, "", 0)
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="gistdeal"`)
	refuse(w, http.StatusUnauthorized, "Token needed", err.Error())
}

// identify returns the caller: the bearer of the token, or Anonymous with all rights for
// a request without a token where none is needed. An unknown token is an error also
// there: its sender expects an identity with its own visits.
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

// credential returns the token that a request carries, and whether it carries one.
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

// isLocal reports whether a request comes directly from this machine under a name of
// this machine. The name matters: another site can point its own name here, and then
// its scripts call us as their own server. A forwarding header means that a proxy is
// in between and the client is unknown.
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

// trust returns the protection that distinguishes requests of other sites from those of
// the page itself, also behind a proxy that changes the host name.
func trust(publicURL string) *http.CrossOriginProtection {
	origins := http.NewCrossOriginProtection()
	if publicURL != "" {
		if err := origins.AddTrustedOrigin(publicURL); err != nil {
			panic(err) // The configuration was checked before.
		}
	}
	return origins
}

// foreign reports whether a page of another site may have made the browser send the
// request, with any method: reading a user tracks it and records a visit.
func (s *Server) foreign(r *http.Request) bool {
	return s.origins.Check(&http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}) != nil
}
