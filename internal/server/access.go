package server

import (
	"crypto/rand"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/problem"
)

// Auth selects the requests that need a token.
type Auth string

// The values of Auth.
const (
	AuthAuto  Auth = "auto"  // all, except direct requests from this machine while there are no tokens
	AuthToken Auth = "token" // all
	AuthNone  Auth = "none"  // those that need the scope admin, or that are not sent to the public URL
)

// strictPolicy is the Content-Security-Policy of all answers except the page,
// which sets its own. It forbids everything, since no other answer is a page.
const strictPolicy = "default-src 'none'; frame-ancestors 'none'"

// guard limits the rate and the size of requests, and refuses changes by pages
// of other sites.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w.Header())
		w = forClient(w, r)
		if s.refuseRate(w, r) {
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
		r.handle(w, req.WithContext(gistdeal.WithCaller(req.Context(), caller)), caller)
	}
}

var (
	errNoToken    = errors.New("this request needs a token: send Authorization: Bearer <token>; the command `gistdeal tokens add` makes one")
	errWrongHost  = errors.New("without a token, requests must be sent to the address in GISTDEAL_PUBLIC_URL")
	errWrongToken = errors.New("the token is unknown or revoked, or the log-in has ended")
	errExpired    = errors.New("the token has expired: ask for another, or for its rotation with a new expiry")
	errTokenRate  = errors.New("this token sends more requests than it may: slow down")
	errNotInURL   = errors.New("only a token of the scope feed may be in a URL: revoke this one, since logs may have it")
	errFeedsOnly  = errors.New("a token of the scope feed opens only the Atom feeds")
	errManyWrong  = errors.New("this client has sent too many wrong tokens: wait before you try another")
)

// titles are the titles of the answers to requests for which identify returned an error.
var titles = map[error]string{
	errNoToken: "Token required", errWrongHost: "Token required", errWrongToken: "Token required", errExpired: "Token expired",
	errNotInURL: "Token in a URL", errFeedsOnly: "Scope too small", errTokenRate: "Too many requests", errManyWrong: "Too many wrong tokens",
}

// unidentified answers a request for which identify returned an error. It clears
// the cookie of a log-in that has ended, since the browser would send it again.
func (s *Server) unidentified(w http.ResponseWriter, r *http.Request, err error) {
	title, known := titles[err]
	if !known {
		s.fail(w, r, err)
		return
	}
	_, inURL := urlToken(r)
	if _, sent := s.sessionID(r); sent && !inURL && !errors.Is(err, errTokenRate) {
		s.setCookie(w, r, "", 0)
	}
	switch {
	case errors.Is(err, errManyWrong):
		wait := s.clientOf(r).wait(time.Now())
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		refuse(w, http.StatusTooManyRequests, title, err.Error())
	case errors.Is(err, errFeedsOnly):
		problem.Write(w, problem.Problem{Type: "urn:gistdeal:problem:scope-too-small", Title: title, Status: http.StatusForbidden, Detail: err.Error()})
	case errors.Is(err, errTokenRate):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, title, err.Error())
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="gistdeal"`)
		refuse(w, http.StatusUnauthorized, title, err.Error())
	}
}

// identify returns the caller of a request. A wrong token counts against its client;
// a right one is accepted however many wrong ones the client has sent.
func (s *Server) identify(r *http.Request) (gistdeal.Caller, error) {
	c, err := s.callerOf(r)
	if err == nil && !s.rates.allow(c) {
		err = errTokenRate
	}
	return c, s.countWrong(r, c.Source, err)
}

// callerOf returns the bearer of a request's token, the user of its log-in, or
// Anonymous if the request has neither and needs none. An unknown token is always
// an error: its sender expects visits of its own.
func (s *Server) callerOf(r *http.Request) (gistdeal.Caller, error) {
	if token, sent := bearerToken(r); sent {
		c, err := s.bearerOf(r, gistdeal.HashToken(token))
		return s.from(r, c, gistdeal.SourceAPI), err
	}
	if token, sent := urlToken(r); sent {
		c, err := s.bearerOf(r, gistdeal.HashToken(token))
		if err == nil && c.Scope != gistdeal.ScopeFeed {
			err = errNotInURL
		}
		return s.from(r, c, gistdeal.SourceAPI), err
	}
	if id, sent := s.sessionID(r); sent {
		c, err := s.sessionCaller(r, id)
		return s.from(r, c, gistdeal.SourcePage), err
	}
	c, err := s.anonymous(r)
	return s.from(r, c, gistdeal.SourceAPI), err
}

// from returns the caller with the source and the address of a request.
func (s *Server) from(r *http.Request, c gistdeal.Caller, source gistdeal.Source) gistdeal.Caller {
	c.Source, c.Address = source, s.clientAddr(r).String()
	return c
}

// bearerOf returns the bearer of the token with a value of that hash.
func (s *Server) bearerOf(r *http.Request, hash string) (gistdeal.Caller, error) {
	now := time.Now()
	t, err := s.store.TokenOf(r.Context(), hash, now)
	switch {
	case gistdeal.KindOf(err) == gistdeal.NotFound:
		return gistdeal.Caller{}, errWrongToken
	case err != nil:
		return gistdeal.Caller{}, err
	}
	s.noticeExpiry(r, t, now)
	if t.Expired(now) {
		return gistdeal.Caller{}, errExpired
	}
	if t.Scope == gistdeal.ScopeFeed && !slices.Contains(gistdeal.FeedPaths, r.URL.Path) {
		return gistdeal.Caller{}, errFeedsOnly
	}
	s.usage.add(use{hash, addressText(s.clientAddr(r)), now})
	return gistdeal.Caller{Name: t.Name, Scope: t.Scope, Rate: t.Rate}, nil
}

// anonymous returns the caller of a request without a token, or an error if the
// request needs one.
func (s *Server) anonymous(r *http.Request) (gistdeal.Caller, error) {
	if s.options.Auth == AuthNone {
		if !s.toPublicURL(r) {
			return gistdeal.Caller{}, errWrongHost
		}
		return gistdeal.Caller{Name: gistdeal.Anonymous, Scope: gistdeal.ScopeWrite}, nil
	}
	if s.options.Auth != AuthAuto || !isLocal(r) {
		return gistdeal.Caller{}, errNoToken
	}
	exist, err := s.store.HasTokens(r.Context())
	if err != nil {
		return gistdeal.Caller{}, err
	}
	if exist {
		return gistdeal.Caller{}, errNoToken
	}
	return gistdeal.Caller{Name: gistdeal.Anonymous, Scope: gistdeal.ScopeAdmin}, nil
}

// toPublicURL reports whether a request was sent to the public URL. Without the
// check, another site could point its own name here; see isLocal.
func (s *Server) toPublicURL(r *http.Request) bool {
	scheme, host, ok := strings.Cut(s.options.PublicURL, "://")
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return ok && strings.TrimSuffix(strings.ToLower(r.Host), port) == host
}

// bearerToken returns the token of the header Authorization, and whether it has one.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// urlToken returns the token in the URL of a feed, and whether it has one. Feed readers cannot
// send headers.
func urlToken(r *http.Request) (string, bool) {
	if !slices.Contains(gistdeal.FeedPaths, r.URL.Path) || !r.URL.Query().Has(gistdeal.FeedToken) {
		return "", false
	}
	return r.URL.Query().Get(gistdeal.FeedToken), true
}

// isLocal reports whether a request seems to come directly from this machine, to a
// loopback name. A forwarded connection looks the same, so this is no proof. The name matters because of DNS rebinding: another site can
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
		if strings.HasPrefix(name, "X-Forwarded") || slices.Contains(forwardingHeaders, name) {
			return true
		}
	}
	return false
}

// forwardingHeaders are those that do not begin with X-Forwarded.
var forwardingHeaders = []string{
	"Cf-Connecting-Ip", "Cloudfront-Viewer-Address", "Forwarded", "True-Client-Ip", "Via", "X-Client-Ip", "X-Original-Forwarded-For", "X-Real-Ip",
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

// navigates reports whether a browser sent the request to show its answer to a person.
func navigates(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "navigate" || mode == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// unproven reports whether a browser sent a GET, and nothing proves that our page
// caused it. Over plain HTTP browsers do not say which site did. With a log-in, a
// link in a mail or a chat is not enough either, although no site caused that
// request: its reader is not its author.
func (s *Server) unproven(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if _, sent := bearerToken(r); sent || r.Method != http.MethodGet || site == "same-origin" || r.Header.Get("Origin") != "" {
		return false // crossSite checks the Origin.
	}
	if _, sent := s.sessionID(r); sent {
		return true
	}
	return site == "" && strings.HasPrefix(r.UserAgent(), "Mozilla/") // All browsers begin with it.
}
