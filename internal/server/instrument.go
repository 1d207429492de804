package server

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"gistdeal/internal/problem"
)

// instrument measures how long the answers of a route take, and survives a
// panic of its handler.
func (s *Server) instrument(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		sw := &statusWriter{ResponseWriter: w}
		defer func() {
			s.took.WithLabelValues(pattern, strconv.Itoa(sw.code())).Observe(time.Since(begin).Seconds())
		}()
		defer s.survive(sw, r)
		next.ServeHTTP(sw, r)
	})
}

// survive answers for a handler that panicked. Once an answer has begun it
// breaks the connection: half an answer must not look like a whole one.
func (s *Server) survive(w *statusWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	s.log.Error("panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()), "request_id", w.Header().Get(problem.HeaderRequestID))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // net/http's way to break a connection
	}
	refuse(w, http.StatusInternalServerError, "Internal error", "see the log for this request_id")
}

// statusWriter remembers the status of an answer, 0 before it begins.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer if need be, and passes b on.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer beneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code returns the status that the client gets.
func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
