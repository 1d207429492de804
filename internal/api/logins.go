package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gistdeal"
	"gistdeal/internal/format"
	"gistdeal/internal/problem"
)

const (
	maxText   = 1 << 20 // bytes of a list of users; 10,000 logins fit
	maxLogins = 10_000
)

// textTypes are the content types, besides JSON, that lists of users may have.
var textTypes = map[string]func(text string) (logins []string, tags map[string][]string, err error){
	"text/plain": func(text string) ([]string, map[string][]string, error) { return format.Words(text), nil, nil },
	"text/csv":   format.Column,
}

// acceptText lets an operation also take its users as text. The text becomes JSON, which
// is validated like any other.
func acceptText(op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
	for kind := range textTypes {
		op.RequestBody.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.MaxBodyBytes = 4 * maxText // JSON needs quotes and commas, and names users with tags twice.
	op.Middlewares = append(op.Middlewares, textToJSON)
}

// textToJSON is a middleware that replaces a list of logins in text with JSON.
func textToJSON(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	parse, ok := textTypes[kind]
	if !ok {
		next(ctx)
		return
	}
	body, p := bodyOf(r, parse)
	if p != nil {
		refuse(ctx, *p)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Body = io.NopCloser(bytes.NewReader(body))
	next(inMemory{ctx})
}

// inMemory is a request whose body was read. A deadline for reading it would end the
// context of a handler that takes longer.
type inMemory struct{ humaContext }

// humaContext is embedded under another name, because it has a method Context.
type humaContext = huma.Context

// SetReadDeadline does nothing.
func (inMemory) SetReadDeadline(time.Time) error { return nil }

// Unwrap is for humago.
func (m inMemory) Unwrap() huma.Context { return m.humaContext }

// bodyOf returns the body with the logins and tags in the text of a request.
func bodyOf(r *http.Request, parse func(string) ([]string, map[string][]string, error)) ([]byte, *problem.Problem) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxText+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || len(text) > maxText {
		return nil, &newProblem(http.StatusRequestEntityTooLarge, "the list of users may have at most 1 MiB").Problem
	}
	if err != nil {
		return nil, &newProblem(http.StatusInternalServerError, truncatedBody).Problem
	}
	users, tags, err := parse(string(text))
	if err != nil {
		p := problem.Of(gistdeal.Errorf(gistdeal.Invalid, "%w", err))
		return nil, &p
	}
	if users = users[:min(len(users), maxLogins+1)]; users == nil {
		users = []string{}
	}
	body, err := json.Marshal(struct {
		Users []string            `json:"users"`
		Tags  map[string][]string `json:"user_tags,omitempty"`
	}{users, tags})
	if err != nil {
		p := problem.Of(err)
		return nil, &p
	}
	return body, nil
}
