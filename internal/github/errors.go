package github

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

// Waits after a limit. A primary limit lasts at most an hour, so a longer one means a
// wrong clock. If GitHub names no time, its documentation asks for 60 s, and for more
// after each further refusal.
const (
	minWait       = time.Second
	maxWait       = time.Hour + 5*time.Minute
	maxRetryAfter = 24 * time.Hour
	defaultWait   = time.Minute
)

// unreadable returns the error of an answer that is truncated, malformed or not from
// GitHub.
func unreadable(format string, args ...any) error {
	return gistdeal.Errorf(gistdeal.Temporary, "unreadable answer from GitHub: "+format, args...)
}

// requestError returns the error of a request without a complete answer. reqCtx is the
// request's context, a child of ctx.
func (c *Client) requestError(ctx, reqCtx context.Context, err error) error {
	if ctx.Err() != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", ctx.Err())
	}
	if reqCtx.Err() != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", slowError{fmt.Errorf("no answer from GitHub within %s", c.timeout)})
	}
	return gistdeal.Errorf(gistdeal.Temporary, "%w", err)
}

// noAnswer returns the error of a request without a complete answer, and notes it unless the
// caller has given up.
func (c *Client) noAnswer(ctx context.Context, req *http.Request, err error) error {
	err = c.requestError(ctx, req.Context(), err)
	if ctx.Err() == nil {
		c.outage.Failed(loop.Reason(err))
	}
	return err
}

// slowError means that GitHub did not return an answer in time: a smaller page may succeed.
type slowError struct{ error }

func (a answer) notModified() bool { return a.status == http.StatusNotModified }

// location returns the destination of a redirect, or "" if the answer is not one.
func (a answer) location() string {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return a.header.Get("Location")
	}
	return ""
}

// checkJSON returns an error unless the answer's content type is JSON. Proxies and
// login pages answer 200 too.
func (a answer) checkJSON() error {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == "application/json" || strings.HasSuffix(kind, "+json") {
		return nil
	}
	return unreadable("it is %q, not JSON: check GITHUB_API_URL", truncate(a.header.Get("Content-Type")))
}

// statusError returns the error for the answer's status. It returns nil for a 200, and
// for a 304 if the request was conditional. The limiter handles limits before.
func (c *Client) statusError(a answer, conditional bool) error {
	if a.status == http.StatusOK || a.notModified() && conditional {
		return nil
	}
	message, _ := a.message()
	switch {
	case a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout:
		wait, _ := a.retryAfter()
		return newError(gistdeal.Temporary, wait, "%w", slowError{fmt.Errorf("GitHub answers %d %q", a.status, truncate(message))})
	case a.status == http.StatusUnauthorized && !c.hasToken:
		return newError(gistdeal.Unauthorized, 0, "GitHub requires a token: set GITHUB_TOKEN")
	case a.status == http.StatusUnauthorized:
		return newError(gistdeal.Unauthorized, 0, "GitHub refuses the token: %q: set GITHUB_TOKEN to a valid one", truncate(message))
	case a.status == http.StatusForbidden && strings.Contains(message, "not accessible by integration"):
		return newError(gistdeal.Unauthorized, 0, "GitHub answers %q: tokens of GitHub Apps and of Actions cannot read gists: set GITHUB_TOKEN to a personal access token, which needs no scope", truncate(message))
	case a.status < 400 || a.status >= 500 || a.status == http.StatusRequestTimeout:
		// The API does not use other 2xx and 3xx codes.
		wait, _ := a.retryAfter()
		return newError(gistdeal.Temporary, wait, "GitHub answers %d %q", a.status, truncate(message))
	case a.isHTML():
		// As a NotFound error, a proxy's 404 page would look like a deleted user.
		return newError(gistdeal.Temporary, 0, "a web page answers %d instead of GitHub's API: check GITHUB_API_URL", a.status)
	case a.status == http.StatusNotFound:
		return newError(gistdeal.NotFound, 0, "not found on GitHub")
	}
	return newError(gistdeal.Invalid, 0, "GitHub refuses the request: %d %q", a.status, truncate(message))
}

func newError(kind gistdeal.Kind, wait time.Duration, format string, args ...any) error {
	return &gistdeal.Error{Kind: kind, RetryAfter: wait, Err: fmt.Errorf(format, args...)}
}

func (a answer) isHTML() bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return kind == "text/html"
}

// message returns the message and the documentation link of an error answer.
func (a answer) message() (message, docs string) {
	var problem struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
	}
	// Both stay empty if the body is not JSON.
	_ = json.Unmarshal(a.body, &problem)
	return problem.Message, problem.Docs
}

// limit reports whether an answer refuses because of a rate limit, and returns its
// message and the wait, which is 0 if the answer names none. It follows GitHub docs,
// "Best practices for using the REST API". A 403 without these signs has another
// meaning.
func (a answer) limit() (wait time.Duration, message string, limited bool) {
	if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
		return 0, "", false
	}
	message, docs := a.message()
	if wait, ok := a.retryAfter(); ok {
		return wait, message, true
	}
	if a.header.Get("X-RateLimit-Remaining") == "0" {
		return a.untilReset(), message, true
	}
	words := strings.ReplaceAll(strings.ToLower(message+" "+docs), "-", " ")
	limited = a.status == http.StatusTooManyRequests || a.header.Get("Retry-After") != "" ||
		strings.Contains(words, "rate limit") || strings.Contains(words, "abuse")
	return 0, message, limited
}

// retryAfter returns the wait in the Retry-After header, in seconds or, from proxies, as
// a date.
func (a answer) retryAfter() (time.Duration, bool) {
	text := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, minWait), maxRetryAfter), true
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(a.clock()), minWait), maxRetryAfter), true
	}
	return 0, false
}

// untilReset returns the time until the quota's hour ends, or 0 if the answer does not
// say.
func (a answer) untilReset() time.Duration {
	reset, err := strconv.ParseInt(a.header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(reset, 0).Sub(a.clock()), minWait), maxWait)
}

// clock returns the answer's time, or the local time without one. The local clock may
// be wrong.
func (a answer) clock() time.Time {
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// truncate shortens a text from a remote to 200 runes.
func truncate(text string) string {
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "..."
	}
	return text
}
