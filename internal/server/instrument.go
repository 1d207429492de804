package server

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"gistdeal/internal/problem"
	"gistdeal/internal/trace"
)

// instrument measures the duration of requests, and recovers from panics of their handlers.
func (s *Server) instrument(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		sw := &statusWriter{ResponseWriter: w}
		r, span := s.startSpan(r)
		defer func() {
			route, method, status := s.routeOf(r), methodOf(r), strconv.Itoa(sw.code())
			s.took.WithLabelValues(route, method, status).Observe(time.Since(begin).Seconds())
			span.Rename(method + " " + route)
			span.Set(slog.String("http.request.method", method), slog.String("http.route", route), slog.Int("http.response.status_code", sw.code()))
			if sw.code() >= 500 {
				span.Fail(status)
			}
			span.End(nil)
		}()
		defer s.recoverPanic(sw, r)
		next.ServeHTTP(sw, r)
	})
}

// startSpan begins the span of a request. Only a trusted proxy may say which trace the
// request belongs to: others could add to the traces of anybody, or have each request
// recorded nowhere.
func (s *Server) startSpan(r *http.Request) (*http.Request, *trace.Span) {
	if s.options.Tracer == nil {
		return r, nil
	}
	header := ""
	if s.trusts(peer(r)) {
		header = r.Header.Get("Traceparent")
	}
	ctx, span := trace.Start(s.options.Tracer.Continue(r.Context(), header), trace.Server, "request")
	return r.WithContext(ctx), span
}

// recoverPanic answers with 500 if the handler panicked. If the answer has begun it
// aborts the connection: a truncated answer must not look complete.
func (s *Server) recoverPanic(w *statusWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	s.log.Error("panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()), "request_id", w.Header().Get(problem.HeaderRequestID))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // net/http then aborts the connection.
	}
	refuse(w, http.StatusInternalServerError, "Internal error", "see the log for this request_id")
}

// statusWriter records the status of an answer. The status is 0 before the answer
// begins.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader records the status and begins the answer.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes b, and begins the answer with status 200 if it has not begun.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap returns the underlying writer, for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code returns the status that the client receives.
func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
