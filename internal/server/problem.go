package server

import (
	"net/http"
	"strings"

	"gistdeal"
	"gistdeal/internal/problem"
)

// statusClientClosed is the status that nginx records if the client disconnected.
// Only the metrics show it.
const statusClientClosed = 499

// fail answers with the problem of err. It logs internal errors, because the
// answer hides them.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusClientClosed)
		return
	}
	if gistdeal.KindOf(err) == gistdeal.Internal {
		s.log.Error("request failed", "path", r.URL.Path, "error", err, "request_id", w.Header().Get(problem.HeaderRequestID))
	}
	if wait := problem.RetryAfter(err); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	problem.Write(w, problem.Of(err))
}

// refuse answers with a problem that has no type of its own.
func refuse(w http.ResponseWriter, status int, title, detail string) {
	problem.Write(w, problem.Problem{Type: "about:blank", Title: title, Status: status, Detail: detail})
}

// forClient returns the writer for the answer. A client that accepts JSON and does
// not accept problems gets problems as JSON: their members are the same.
func forClient(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	accepted := strings.Join(r.Header.Values("Accept"), ",")
	if strings.Contains(accepted, "application/json") && !strings.Contains(accepted, problem.ContentType) && !strings.Contains(accepted, "/*") {
		return plainProblems{w}
	}
	return w
}

// plainProblems sends problems as application/json.
type plainProblems struct{ http.ResponseWriter }

// WriteHeader begins the answer.
func (w plainProblems) WriteHeader(status int) {
	if h := w.Header(); h.Get("Content-Type") == problem.ContentType {
		h.Set("Content-Type", "application/json")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the underlying writer, for http.ResponseController.
func (w plainProblems) Unwrap() http.ResponseWriter { return w.ResponseWriter }
