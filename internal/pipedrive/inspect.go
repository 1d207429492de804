package pipedrive

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
)

// usage counts the requests and tokens since the client was created.
type usage struct{ requests, tokens atomic.Int64 }

// Used returns the number of requests since the client was created, and the cost of the
// answered ones in tokens. Pipedrive does not document the cost of a refused request;
// Used counts it in full.
func (c *Client) Used() (requests, tokens int) {
	return int(c.usage.requests.Load()), int(c.usage.tokens.Load())
}

// cost returns the cost of a request in tokens (Pipedrive OpenAPI 2026-08-18,
// x-token-cost; for permissions that of a single object in v1).
func cost(r *http.Request) int {
	ends := func(path string) bool { return strings.HasSuffix(r.URL.Path, path) }
	switch {
	case ends(notesPath) && r.Method == http.MethodPost:
		return NoteTokens
	case r.Method == http.MethodPost || r.Method == http.MethodPatch:
		return DealTokens // Creating a field and changing a deal cost the same.
	case r.Method == http.MethodDelete:
		return DeleteTokens
	case ends("/deals/archived") || ends("/v1/users") || ends(notesPath):
		return 20
	case ends("/deals") || ends("/dealFields"):
		return 10
	case ends("/pipelines") || ends("/stages"):
		return 5
	case ends("/v1/users/me") || ends("/permissions"):
		return 2
	}
	return ReadTokens
}

// The cost of reading, creating and deleting one deal, and of a note, in tokens (Pipedrive
// OpenAPI 2026-08-18, x-token-cost).
const (
	ReadTokens   = 1
	DealTokens   = 5
	DeleteTokens = 3
	NoteTokens   = 10
)

// Pace returns the highest number of requests a second while no other program uses the
// key, by the limit in the newest answer.
func (c *Client) Pace() float64 { return c.limiter.pace() }

// CheckFields returns the names of the custom fields that Prepare would create for a user
// with those permissions, what Prepare would warn of, and the joined errors of the fields
// that Prepare could not use or create. It creates nothing. keys is as for Prepare.
func (c *Client) CheckFields(ctx context.Context, keys map[string]string, may Permissions) (missing, warnings []string, err error) {
	search, err := c.findFields(ctx, keys)
	missing = search.missing()
	if err == nil && !may.AddFields {
		err = search.continueWithout(missing, errMayNotAddFields)
	}
	return missing, search.warnings, err
}

// CheckTarget returns an error if the configured stage or owner of new deals does not
// exist.
func (c *Client) CheckTarget(ctx context.Context) error {
	_, stageErr := c.findStage(ctx)
	_, ownerErr := c.findOwner(ctx)
	return errors.Join(stageErr, ownerErr)
}
