package contract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Check returns a handler that passes requests to next and checks each request and
// answer against the descriptions. It reports a mismatch by t.Errorf with method,
// path and reason. It ignores routes and statuses without a description, and
// incomplete answers (hijacked, aborted, abandoned by the client). Do not use it
// with a simulator that sends invalid answers on purpose. Without the folder of
// SharedDir the test runs unchecked, or fails if REQUIRE_ALL=1.
func Check(t testing.TB, next http.Handler, apis ...API) http.Handler {
	t.Helper()
	dir, err := find()
	if err != nil {
		absent(t, err)
		t.Logf("requests and answers are not checked: %v", err)
		return next
	}
	c := &checker{t: t, next: next, apis: apis}
	for _, api := range apis {
		router, err := api.load(dir)
		if err != nil {
			t.Fatal(err)
		}
		c.routers = append(c.routers, router)
	}
	return c
}

type checker struct {
	t       testing.TB
	next    http.Handler
	apis    []API
	routers []routers.Router
}

func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := c.checkRequest(r)
	answer := &answer{ResponseWriter: w, status: http.StatusOK}
	c.next.ServeHTTP(answer, r)
	// If the client disconnected, the handler may have written nothing.
	if sent == nil || answer.hijacked || r.Context().Err() != nil {
		return
	}
	if err := checkAnswer(sent, answer); err != nil {
		c.report(r, fmt.Sprintf("answer %d", answer.status), err)
	}
}

// report omits headers and the query, because they contain tokens.
func (c *checker) report(r *http.Request, what string, err error) {
	c.t.Helper()
	c.t.Errorf("%s %s: %s: %v", r.Method, r.URL.Path, what, err)
}

// checkRequest reports mistakes in r and returns the input for checkAnswer, nil if
// the route is not described.
func (c *checker) checkRequest(r *http.Request) *openapi3filter.RequestValidationInput {
	for _, api := range c.apis {
		if err := checkToken(api, r); err != nil {
			c.report(r, "request", err)
		}
	}
	in := c.route(r)
	if in == nil {
		return nil
	}
	// The handler must handle an incomplete body itself.
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	if err != nil {
		return nil
	}
	in.Request = r.Clone(r.Context())
	in.Request.Body = io.NopCloser(bytes.NewReader(body))
	if err := errors.Join(checkNames(in), openapi3filter.ValidateRequest(r.Context(), in)); err != nil {
		c.report(r, "request", err)
	}
	return in
}

func (c *checker) route(r *http.Request) *openapi3filter.RequestValidationInput {
	for _, router := range c.routers {
		route, params, err := router.FindRoute(r)
		if err == nil {
			return &openapi3filter.RequestValidationInput{
				Request: r, Route: route, PathParams: params, Options: options(),
			}
		}
	}
	return nil
}

func options() *openapi3filter.Options {
	opts := &openapi3filter.Options{
		AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
	}
	// The default text contains the whole schema and value.
	opts.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		text := fmt.Sprintf("at /%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason)
		if err.Origin != nil {
			text += ": " + err.Origin.Error()
		}
		return text
	})
	return opts
}

// checkToken checks the token, which the descriptions mention only as security.
func checkToken(api API, r *http.Request) error {
	if api.token == "" || !api.serves(r.URL.Path) {
		return nil
	}
	if r.URL.Query().Has("api_token") {
		return errors.New("the token is in the query, which logs contain")
	}
	if r.Header.Get(api.token) == "" {
		return fmt.Errorf("no header %s", api.token)
	}
	return nil
}

// checkNames reports query parameters without a description. The library checks
// only the described ones.
func checkNames(in *openapi3filter.RequestValidationInput) error {
	query, err := url.ParseQuery(in.Request.URL.RawQuery)
	if err != nil {
		return errors.New("the query cannot be read")
	}
	var errs []error
	for name := range query {
		if in.Route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil && name != "api_token" {
			errs = append(errs, fmt.Errorf("query parameter %q is not described", name))
		}
	}
	return errors.Join(errs...)
}

func checkAnswer(sent *openapi3filter.RequestValidationInput, got *answer) error {
	status := got.status
	if status == http.StatusCreated && sent.Route.Operation.Responses.Status(status) == nil {
		// Pipedrive's documentation has 201 and its description 200.
		status = http.StatusOK
	}
	if status >= 400 && !strings.HasPrefix(got.Header().Get("Content-Type"), "application/json") {
		// Proxies in front of the API send error pages of their own.
		return nil
	}
	return openapi3filter.ValidateResponse(sent.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: sent,
		Status:                 status,
		Header:                 got.Header(),
		Body:                   io.NopCloser(&got.body),
		Options:                sent.Options,
	})
}

// answer copies the answer that passes through it.
type answer struct {
	http.ResponseWriter
	status   int
	wrote    bool
	body     bytes.Buffer
	hijacked bool
}

func (a *answer) WriteHeader(status int) {
	// Only the first final status counts, as in net/http.
	if !a.wrote && status >= 200 {
		a.status, a.wrote = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	a.body.Write(p)
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements http.Flusher.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// Hijack implements http.Hijacker. A hijacked answer is not checked.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.hijacked = true
	return http.NewResponseController(a.ResponseWriter).Hijack()
}
