package document

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// headers are the headers of answers, by the name of their component.
var headers = map[string]*huma.Header{
	"RequestID":       {Description: "The id of the request, which the log and each problem have too.", Required: true, Schema: text("^[A-Z2-7]+$", 16, 26)},
	"ETag":            {Description: "The version of the answer. Send it as If-None-Match to get a 304 while nothing has changed.", Schema: text(`^(W/)?"[0-9a-f]+"$`, 3, 68)},
	"RetryAfter":      {Description: "The number of seconds to wait before the next try.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int32", Minimum: number(0), Maximum: number(1<<31 - 1)}},
	"Location":        {Description: "The address of the thing that this request created or changes.", Schema: &huma.Schema{Type: huma.TypeString, Format: "uri-reference", MinLength: whole(1), MaxLength: whole(500)}},
	"Allow":           {Description: "The methods that the path accepts.", Required: true, Schema: text("^[A-Z]+(, [A-Z]+)*$", 3, 60)},
	"WWWAuthenticate": {Description: "How to identify: with a bearer token.", Schema: text("^Bearer .*$", 6, 200)},
	"RateLimit":       {Description: `The requests that this client may send now, and the seconds until it may send as many as the policy allows: "requests";r=198;t=1. Left out for programs on the same machine, which have no limit. As in draft-ietf-httpapi-ratelimit-headers-10.`, Schema: text(`^"requests";r=[0-9]+;t=[0-9]+$`, 18, 60)},
	"RateLimitPolicy": {Description: `The limit of a client: q requests at once, and as many again within w seconds: "requests";q=200;w=4.`, Schema: text(`^"requests";q=[0-9]+;w=[0-9]+$`, 18, 60)},
}

// headerNames are the names of headers in answers, by the name of their component.
var headerNames = map[string]string{
	"RequestID": "X-Request-Id", "ETag": "ETag", "RetryAfter": "Retry-After", "Location": "Location", "Allow": "Allow",
	"WWWAuthenticate": "WWW-Authenticate", "RateLimit": "RateLimit", "RateLimitPolicy": "RateLimit-Policy",
}

func addHeaders(c *huma.Components) {
	c.Headers = headers
}

// headersOf returns references to the headers that every answer has, and to more.
func headersOf(more ...string) map[string]*huma.Header {
	all := map[string]*huma.Header{}
	for _, name := range append([]string{"RequestID", "RateLimit", "RateLimitPolicy"}, more...) {
		all[headerNames[name]] = &huma.Header{Ref: "#/components/headers/" + name}
	}
	return all
}

// problems describe the error answers by their status. The table in docs/api.md
// has the same.
var problems = map[int]string{
	400: "The request is invalid: a parameter or the body does not fit this document, or makes no sense.",
	401: "A token is needed, or it is unknown.",
	403: "The scope of the token is too small, or a page of another site sent the request.",
	404: "There is no such thing.",
	405: "The path does not accept this method.",
	409: "The thing exists already, or the request with this Idempotency-Key is in progress or its answer is not stored.",
	410: "Events after this one were deleted: read the lists again, then go on after last_event.",
	412: "If-Match names an old version: read again, and decide again.",
	413: "The body is too large.",
	415: "The body has a content type that the operation does not accept.",
	422: "Another request had this Idempotency-Key.",
	429: "Too many requests, event streams or wrong tokens.",
	500: "An internal error; the log has the request id.",
	502: "GitHub or Pipedrive refuses the key of gistdeal.",
	503: "A quota is spent, or a remote or the database is away.",
}

// alwaysPossible are the error answers of every operation of the API.
var alwaysPossible = []int{400, 401, 403, 405, 413, 429, 500, 503}

// moreHeaders are the headers of error answers beside those of every answer.
var moreHeaders = map[int][]string{401: {"WWWAuthenticate"}, 405: {"Allow"}, 429: {"RetryAfter"}, 503: {"RetryAfter"}}

// addProblems adds a component for each error answer. The name of a component is
// the text of its status: NotFound.
func addProblems(c *huma.Components) {
	c.Responses = map[string]*huma.Response{}
	schema := &huma.Schema{Ref: "#/components/schemas/Problem"}
	for status, meaning := range problems {
		example := exampleProblem(status)
		c.Responses[componentOf(status)] = &huma.Response{
			Description: meaning, Headers: headersOf(moreHeaders[status]...),
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: example}, "application/json": {Schema: schema, Example: example}},
		}
	}
}

func componentOf(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// exampleProblem returns an example of a problem.
func exampleProblem(status int) map[string]any {
	p := map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": problems[status], "request_id": "B7XQ2M4ZKD6WVA3N"}
	if status == http.StatusBadRequest {
		p["type"], p["title"], p["detail"] = "urn:gistdeal:problem:invalid", "Invalid request", "validation failed"
		p["errors"] = []any{map[string]any{"message": "expected number <= 500", "location": "query.limit"}}
	}
	return p
}

// completeAnswers adds the headers and answers that operations share. An operation
// refers to the components of problems, so that the document stays small.
func completeAnswers(method string, op *huma.Operation) {
	if op.Metadata[Once] == nil {
		delete(op.Responses, "422") // huma adds it; invalid requests are answered with 400.
	}
	statuses := slices.Clone(alwaysPossible)
	if op.Metadata[outside] != nil {
		statuses = nil
	}
	for status := range op.Responses {
		n, err := strconv.Atoi(status)
		if err == nil && n >= 400 && problems[n] != "" && op.Responses[status].Description == http.StatusText(n) {
			statuses = append(statuses, n)
		}
	}
	for _, n := range statuses {
		op.Responses[strconv.Itoa(n)] = &huma.Response{Ref: "#/components/responses/" + componentOf(n)}
	}
	for status, r := range op.Responses {
		if r.Ref != "" {
			continue
		}
		shared := headersOf()
		for name, header := range r.Headers {
			if headers[name] != nil { // Its operation sets it: Location or ETag.
				header = &huma.Header{Ref: "#/components/headers/" + name}
			}
			shared[name] = header
		}
		r.Headers = shared
		if status == "200" && tagged(method, op) {
			r.Headers["ETag"] = &huma.Header{Ref: "#/components/headers/ETag"}
		}
	}
	if method == http.MethodGet && tagged(method, op) {
		op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the answer with the ETag in If-None-Match.", Headers: headersOf("ETag")}
	}
}

// tagged reports whether the successful answer of an operation has an ETag.
func tagged(method string, op *huma.Operation) bool {
	if op.Metadata[outside] != nil || op.OperationID == "follow-events" {
		return false
	}
	return method == http.MethodGet || op.Metadata[Tagged] != nil
}

// Once marks an operation that takes idempotency keys.
const Once = "once"

// Tagged marks an operation that changes something and answers with its ETag.
const Tagged = "tagged"
