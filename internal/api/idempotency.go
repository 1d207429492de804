package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gistdeal"
	"gistdeal/internal/api/document"
	"gistdeal/internal/operation"
	"gistdeal/internal/problem"
)

// keyHeader is the header with an idempotency key (draft-ietf-httpapi-idempotency-key-header).
const keyHeader = "Idempotency-Key"

// keyPattern is the form of keys: visible characters.
var keyPattern = regexp.MustCompile(`^[!-~]{1,255}$`)

// documentKey documents the header of an operation that takes idempotency keys.
func documentKey(op *huma.Operation) {
	longest := 255
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		Description: "A value that no other request of yours has. A request with the same key and body is not carried out twice within 24 hours: it gets the same answer.",
	})
	op.Errors = append(op.Errors, http.StatusConflict, http.StatusUnprocessableEntity)
	op.Metadata = map[string]any{document.Once: true}
}

// claimKey is the key in a context of the claim that a request holds.
type claimKey struct{}

// operationID returns the id of a new operation. A request that is repeated because its
// process died has the same one.
func operationID(ctx context.Context) string {
	claim, _ := ctx.Value(claimKey{}).(string)
	return cmp.Or(claim, operation.NewID())
}

// serveOnce serves a request with an idempotency key, unless one with that key was served.
func (a *API) serveOnce(w http.ResponseWriter, r *http.Request, secret bool) {
	key := r.Header.Get(keyHeader)
	if !keyPattern.MatchString(key) {
		problem.Write(w, problem.Of(gistdeal.Errorf(gistdeal.Invalid, "%s must have 1 to 255 visible ASCII characters", keyHeader)))
		return
	}
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		problem.Write(w, newProblem(http.StatusRequestEntityTooLarge, "the body is too large").Problem)
		return
	}
	if err != nil {
		problem.Write(w, newProblem(http.StatusInternalServerError, truncatedBody).Problem)
		return
	}
	k := gistdeal.IdempotencyKey{Caller: gistdeal.CallerOf(r.Context()).Name, Key: key, Request: hashOf(r, body)}
	claim, earlier, err := a.db.ClaimKey(r.Context(), k, operation.NewID(), time.Now())
	if err != nil {
		problem.Write(w, problem.Of(err))
		return
	}
	if claim == "" {
		replay(w, k, earlier)
		return
	}
	rec := &recorder{ResponseWriter: w}
	defer func() {
		// The answer is stored although the client may have disconnected.
		if err := a.db.EndKey(context.WithoutCancel(r.Context()), k, claim, rec.answer(secret)); err != nil {
			a.log.Error("idempotent answer not stored", "error", err)
		}
	}()
	r = r.WithContext(context.WithValue(r.Context(), claimKey{}, claim))
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mux.ServeHTTP(rec, r)
}

// hashOf returns a hash of everything that a request means.
func hashOf(r *http.Request, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n%s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("Prefer"))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// replay answers a request whose key an earlier one had.
func replay(w http.ResponseWriter, k gistdeal.IdempotencyKey, earlier gistdeal.IdempotentAnswer) {
	refuse := func(status int, detail string) {
		problem.Write(w, problem.Problem{Type: "urn:gistdeal:problem:idempotency-key", Title: "Idempotency key in use", Status: status, Detail: detail})
	}
	switch {
	case earlier.Request != k.Request:
		refuse(http.StatusUnprocessableEntity, "another request had this "+keyHeader+": choose a new key for each new request")
	case earlier.Status == 0:
		w.Header().Set("Retry-After", "5")
		refuse(http.StatusConflict, "the request with this "+keyHeader+" is in progress: try again")
	case earlier.Body == "":
		refuse(http.StatusConflict, "this request was carried out; its answer held a secret, which is not stored: create another token, and revoke this one")
	default:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Idempotency-Replayed", "true")
		if earlier.Location != "" {
			h.Set("Location", earlier.Location)
		}
		w.WriteHeader(earlier.Status)
		_, _ = io.WriteString(w, earlier.Body) // An error means that the client has disconnected.
	}
}

// recorder remembers an answer while it is written.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// SetReadDeadline does nothing: the body was read, and a deadline would end the context of a
// handler that takes longer.
func (r *recorder) SetReadDeadline(time.Time) error { return nil }

// WriteHeader is http.ResponseWriter's.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter's.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// answer returns the answer to keep; only success is kept, so that a request that failed
// may be corrected and sent again.
func (r *recorder) answer(secret bool) gistdeal.IdempotentAnswer {
	if r.status < 200 || r.status > 299 {
		return gistdeal.IdempotentAnswer{}
	}
	a := gistdeal.IdempotentAnswer{Status: r.status, Location: r.Header().Get("Location")}
	if !secret {
		a.Body = r.body.String()
	}
	return a
}
