// Package problem writes error answers in one form, RFC 9457, for every route.
package problem

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"gistdeal"
)

// HeaderRequestID names the header with which an answer tells its request's id.
const HeaderRequestID = "X-Request-Id"

// ContentType is that of a Problem as JSON.
const ContentType = "application/problem+json"

// Problem is an error answer as RFC 9457 describes it.
type Problem struct {
	// Type stays the same for one sort of problem: about:blank means no more than the status does.
	Type      string   `json:"type" doc:"The sort of problem; it does not change."`
	Title     string   `json:"title" doc:"The sort of problem, in words."`
	Status    int      `json:"status"`
	Detail    string   `json:"detail,omitempty" doc:"What is wrong, and what to do."`
	RequestID string   `json:"request_id,omitempty" doc:"By which the log knows the request."`
	Errors    []Detail `json:"errors,omitempty" doc:"Each thing that is wrong with the request."`
	LastEvent int64    `json:"last_event,omitempty" doc:"If events were deleted before they were read: the id after which to go on, once the lists are read again."`
}

// Detail is one thing that is wrong with a request.
type Detail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"For example body.users[3] or query.limit."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// kinds maps the kind of an error to the answer. Unauthorized concerns our keys at the
// remotes, not the client's token.
var kinds = map[gistdeal.Kind]Problem{
	gistdeal.Internal:     {Type: "urn:gistdeal:problem:internal", Title: "Internal error", Status: http.StatusInternalServerError},
	gistdeal.Invalid:      {Type: "urn:gistdeal:problem:invalid", Title: "Invalid request", Status: http.StatusBadRequest},
	gistdeal.Conflict:     {Type: "urn:gistdeal:problem:conflict", Title: "Conflict", Status: http.StatusConflict},
	gistdeal.Gone:         {Type: "urn:gistdeal:problem:gone", Title: "Gone", Status: http.StatusGone},
	gistdeal.NotFound:     {Type: "urn:gistdeal:problem:not-found", Title: "Not found", Status: http.StatusNotFound},
	gistdeal.Unauthorized: {Type: "urn:gistdeal:problem:remote-refuses", Title: "The remote API refuses gistdeal", Status: http.StatusBadGateway},
	gistdeal.Limited:      {Type: "urn:gistdeal:problem:limited", Title: "Limited, try again later", Status: http.StatusServiceUnavailable},
	gistdeal.Temporary:    {Type: "urn:gistdeal:problem:temporary", Title: "Not possible now, try again later", Status: http.StatusServiceUnavailable},
	gistdeal.Unknown:      {Type: "urn:gistdeal:problem:outcome-unknown", Title: "Outcome unknown", Status: http.StatusBadGateway},
}

// Of returns the problem for err. The text of an internal error is only logged.
func Of(err error) Problem {
	kind := gistdeal.KindOf(err)
	p := kinds[kind]
	p.Detail = err.Error()
	if kind == gistdeal.Internal {
		p.Detail = "see the log for this request_id"
	}
	return p
}

// RetryAfter returns the value of the header of that name, in whole seconds: "" if
// trying again is not said to help, 5 if nobody knows better.
func RetryAfter(err error) string {
	if kind := gistdeal.KindOf(err); kind != gistdeal.Limited && kind != gistdeal.Temporary {
		return ""
	}
	if wait := gistdeal.RetryAfter(err); wait > 0 {
		return strconv.Itoa(int(math.Ceil(wait.Seconds())))
	}
	return "5"
}

// Write answers with p and the id of the request, if the answer has one.
func Write(w http.ResponseWriter, p Problem) {
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	p.RequestID = h.Get(HeaderRequestID)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // If it cannot be written the client has gone.
}
