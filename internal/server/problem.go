package server

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"gistdeal"
)

// statusOf is the table from the kind of an error to what the client is told.
// Unauthorized is about our key at GitHub, not about the client's token.
var statusOf = map[gistdeal.Kind]struct {
	status int
	title  string
}{
	gistdeal.Internal:     {http.StatusInternalServerError, "Internal error"},
	gistdeal.Invalid:      {http.StatusBadRequest, "Invalid request"},
	gistdeal.NotFound:     {http.StatusNotFound, "Not found"},
	gistdeal.Unauthorized: {http.StatusBadGateway, "The remote API refuses gistdeal"},
	gistdeal.Limited:      {http.StatusServiceUnavailable, "Limited, try again later"},
	gistdeal.Temporary:    {http.StatusServiceUnavailable, "Not possible now, try again later"},
	gistdeal.Unknown:      {http.StatusBadGateway, "Outcome unknown"},
}

// statusClientGone, as nginx calls it, is for the metrics: nobody reads the answer.
const statusClientGone = 499

// problem is an error answer as RFC 9457 describes it.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// fail answers with the problem that err is. What is internal stays in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusClientGone)
		return
	}
	kind := gistdeal.KindOf(err)
	detail := err.Error()
	if kind == gistdeal.Internal {
		s.log.Error("request failed", "path", r.URL.Path, "error", err, "request_id", w.Header().Get(headerRequestID))
		detail = "see the log for this request_id"
	}
	if kind == gistdeal.Limited || kind == gistdeal.Temporary {
		w.Header().Set("Retry-After", retryAfter(err))
	}
	refuse(w, statusOf[kind].status, statusOf[kind].title, detail)
}

// retryAfter returns the header's value: whole seconds, 5 if nobody knows better.
func retryAfter(err error) string {
	wait := gistdeal.RetryAfter(err)
	if wait <= 0 {
		return "5"
	}
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

// refuse answers with a problem.
func refuse(w http.ResponseWriter, status int, title, detail string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// If it cannot be written the client has gone.
	_ = json.NewEncoder(w).Encode(problem{Type: "about:blank", Title: title, Status: status, Detail: detail, RequestID: h.Get(headerRequestID)})
}
