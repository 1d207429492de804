package server

import (
	"net/http"

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
