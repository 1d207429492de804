package client

import (
	"context"
	"net/http"
)

// New returns a client of the server at an address such as http://localhost:8050.
// The token may be empty if the server needs none.
func New(server, token string) (*ClientWithResponses, error) {
	return NewClientWithResponses(server, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}))
}

// Error returns the problem in words, so that a Problem is an error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}
