package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/problem"
)

// statusProblem is a Problem in the form in which huma writes errors.
type statusProblem struct {
	problem.Problem
	retryAfter string
}

// GetStatus returns the status.
func (p *statusProblem) GetStatus() int { return p.Status }

// ContentType returns that of problems.
func (p *statusProblem) ContentType(string) string { return problem.ContentType }

// GetHeaders returns the header Retry-After, if trying again may help.
func (p *statusProblem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

// problem returns err for clients; an internal error is only logged.
func (a *API) problem(ctx context.Context, err error) error {
	if gistdeal.KindOf(err) == gistdeal.Internal && ctx.Err() == nil {
		a.log.Error("request failed", "error", err, "request_id", ctx.Value(requestID{}))
	}
	p := &statusProblem{Problem: problem.Of(err), retryAfter: problem.RetryAfter(err)}
	p.RequestID, _ = ctx.Value(requestID{}).(string)
	return p
}

// cutOff is how huma words that a body ends early, which it takes for a fault of ours.
const cutOff = "cannot read request body"

// newProblem describes huma's validation errors.
func newProblem(status int, detail string, errs ...error) *statusProblem {
	if status == http.StatusInternalServerError && detail == cutOff {
		status, detail = http.StatusBadRequest, "the body ends before its time"
	}
	p := &statusProblem{Problem: problem.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}}
	if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
		p.Type, p.Title = "urn:gistdeal:problem:invalid", "Invalid request"
	}
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok { //nolint:errorlint // huma gives them bare.
			detail := d.ErrorDetail() // Without the value: it may be a secret.
			p.Errors = append(p.Errors, problem.Detail{Message: detail.Message, Location: detail.Location})
		} else if err != nil {
			p.Errors = append(p.Errors, problem.Detail{Message: err.Error()})
		}
	}
	return p
}

// huma keeps how errors are made, and whether lists may be null, in variables of its package.
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
