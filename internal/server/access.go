package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

const headerRequestID = "X-Request-Id"

// HashToken returns the form in which a token is kept.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// guard bounds what every request may do and survives a handler's panic.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerRequestID, rand.Text()[:16])
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.log.Error("panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()), "request_id", w.Header().Get(headerRequestID))
				refuse(w, http.StatusInternalServerError, "Internal error", "see the log for this request_id")
			}
		}()
		if r.ContentLength > maxBody {
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusRequestEntityTooLarge, "Body too large", "no request needs more than "+strconv.Itoa(maxBody)+" bytes")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
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
		if r.open || s.mayUse(req) {
			r.handle(w, req)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="gistdeal"`)
		refuse(w, http.StatusUnauthorized, "Token needed",
			"without a token gistdeal answers only its own machine, asked directly under a loopback name: send Authorization: Bearer <token>")
	}
}

// mayUse reports whether the request comes from somebody who may use the server.
func (s *Server) mayUse(r *http.Request) bool {
	if s.options.Open || isLocal(r) {
		return true
	}
	_, err := s.visitor(r)
	return err == nil
}

// visitor returns who asks: the name of the token, or everybody for a request
// without one. A token that is not known is an error.
func (s *Server) visitor(r *http.Request) (string, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		if s.options.Open || isLocal(r) {
			return gistdeal.Everybody, nil
		}
		return "", gistdeal.Errorf(gistdeal.NotFound, "no token")
	}
	return s.store.TokenName(r.Context(), HashToken(token))
}

// isLocal reports whether a request was made on this machine, directly and
// under a name of this machine. The name matters: a page elsewhere can make
// its own name point here, and then its scripts ask us as their own server. A
// forwarding header means that a proxy stands between, and who asks is unknown.
func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
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

// instrument measures how long the answers of a route take.
func (s *Server) instrument(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(sw, r)
		s.took.WithLabelValues(pattern, strconv.Itoa(sw.status)).Observe(time.Since(begin).Seconds())
	})
}

// statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController the writer beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
