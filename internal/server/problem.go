package server

import (
	"net/http"

	"gistdeal"
	"gistdeal/internal/problem"
)

// statusClientGone, as nginx calls it, is for the metrics: nobody reads the answer.
const statusClientGone = 499

// fail answers with the problem that err is. What is internal stays in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusClientGone)
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

// refuse answers with a problem whose status says it all.
func refuse(w http.ResponseWriter, status int, title, detail string) {
	problem.Write(w, problem.Problem{Type: "about:blank", Title: title, Status: status, Detail: detail})
}
