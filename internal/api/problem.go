package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/problem"
)

// Problem is an error answer of huma. It is exported because its name is the name
// of the schema.
type Problem struct {
	problem.Problem
	retryAfter string
}

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the content type of problems.
func (p *Problem) ContentType(string) string { return problem.ContentType }

// GetHeaders returns the headers of the answer, with Retry-After if a retry may
// succeed.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

// problem returns err as an answer. It logs internal errors, because the answer
// hides them.
func (a *API) problem(ctx context.Context, err error) error {
	p, ok := errors.AsType[*Problem](err)
	if !ok && gistdeal.KindOf(err) == gistdeal.Internal && ctx.Err() == nil {
		a.log.Error("request failed", "error", err, "request_id", ctx.Value(requestID{}))
	}
	if !ok {
		p = &Problem{Problem: problem.Of(err), retryAfter: problem.RetryAfter(err)}
	}
	p.RequestID, _ = ctx.Value(requestID{}).(string)
	return p
}

// truncatedBody is huma's error for a body that ends early. huma answers it with
// 500, although the client is at fault.
const truncatedBody = "cannot read request body"

// newProblem returns the problem for an error that huma detects in a request.
func newProblem(status int, detail string, errs ...error) *Problem {
	if status == http.StatusInternalServerError && detail == truncatedBody {
		status, detail = http.StatusBadRequest, "the request body is incomplete"
	}
	if status == http.StatusUnprocessableEntity { // gistdeal has one status for every invalid request.
		status = http.StatusBadRequest
	}
	p := &Problem{Problem: problem.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}}
	if status == http.StatusBadRequest {
		p.Type, p.Title = "urn:gistdeal:problem:invalid", "Invalid request"
	}
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok { //nolint:errorlint // huma does not wrap them.
			detail := d.ErrorDetail() // Its value is left out: it may be a secret.
			p.Errors = append(p.Errors, problem.Detail{Message: detail.Message, Location: detail.Location})
		} else if err != nil {
			p.Errors = append(p.Errors, problem.Detail{Message: err.Error()})
		}
	}
	return p
}

// huma reads the constructors of errors, and whether lists may be null, from
// variables of its package.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return newProblem(status, detail, errs...)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		p := newProblem(status, detail, errs...)
		p.RequestID, _ = ctx.Context().Value(requestID{}).(string)
		return p
	}
}
