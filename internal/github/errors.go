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
)

// Waits after a limit. A primary limit lasts an hour at most, so a longer one means a
// wrong clock. GitHub asks for 60 s if it names no time, and for more after each
// further refusal.
const (
	minWait       = time.Second
	maxWait       = time.Hour + 5*time.Minute
	maxRetryAfter = 24 * time.Hour
	unnamedWait   = time.Minute
)

// unreadable is the error of an answer that makes no sense: cut off on its way,
// or not GitHub's at all.
func unreadable(format string, args ...any) error {
	return gistdeal.Errorf(gistdeal.Temporary, "unreadable answer of GitHub: "+format, args...)
}

// broken is the error of a request without a whole answer; own is the request's context, a child of ctx.
func (c *Client) broken(ctx, own context.Context, err error) error {
	if ctx.Err() != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", ctx.Err())
	}
	if own.Err() != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "no answer of GitHub within %s", c.timeout)
	}
	return gistdeal.Errorf(gistdeal.Temporary, "%w", err)
}

func (a answer) notModified() bool { return a.status == http.StatusNotModified }

// location returns where a redirect leads, "" if the answer is none.
func (a answer) location() string {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return a.header.Get("Location")
	}
	return ""
}

// checkJSON returns an error unless the answer says that it is JSON: proxies
// and log-in pages answer 200 too.
func (a answer) checkJSON() error {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == "application/json" || strings.HasSuffix(kind, "+json") {
		return nil
	}
	return unreadable("it is %q, not JSON: is GITHUB_API_URL right?", cut(a.header.Get("Content-Type")))
}

// refusal returns nil for a 200, and for a 304 if the request was conditional,
// or else the error that the answer stands for. Limits are the limiter's.
func (c *Client) refusal(a answer, conditional bool) error {
	if a.status == http.StatusOK || a.notModified() && conditional {
		return nil
	}
	message, _ := a.message()
	switch {
	case a.status == http.StatusUnauthorized && !c.hasToken:
		return refused(gistdeal.Unauthorized, 0, "GitHub wants a token: set GITHUB_TOKEN")
	case a.status == http.StatusUnauthorized:
		return refused(gistdeal.Unauthorized, 0, "GitHub refuses the token: %q: set GITHUB_TOKEN to a valid one", cut(message))
	case a.status < 400 || a.status >= 500 || a.status == http.StatusRequestTimeout:
		// Other 2xx and 3xx too: nothing of this API answers so.
		wait, _ := a.retryAfter()
		return refused(gistdeal.Temporary, wait, "GitHub answers %d %q", a.status, cut(message))
	case a.isHTML():
		// Taken at its word, a proxy's 404 page would look like a deleted user.
		return refused(gistdeal.Temporary, 0, "a web page answers %d in GitHub's place: is GITHUB_API_URL right?", a.status)
	case a.status == http.StatusNotFound:
		return refused(gistdeal.NotFound, 0, "GitHub does not know it")
	}
	return refused(gistdeal.Invalid, 0, "GitHub refuses it: %d %q", a.status, cut(message))
}

func refused(kind gistdeal.Kind, wait time.Duration, format string, args ...any) error {
	return &gistdeal.Error{Kind: kind, RetryAfter: wait, Err: fmt.Errorf(format, args...)}
}

func (a answer) isHTML() bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return kind == "text/html"
}

// message returns GitHub's message about an error, with its documentation link.
func (a answer) message() (message, docs string) {
	var problem struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
	}
	// A body that is no JSON leaves both empty, and the status has to do.
	_ = json.Unmarshal(a.body, &problem)
	return problem.Message, problem.Docs
}

// limit says whether an answer is a rate limit's, in which words, and how long
// to wait, 0 if it does not say, by the steps of GitHub docs, "Best practices
// for using the REST API". 403 also has other meanings, which carry none of the signs.
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

// retryAfter returns the wait that the answer names in seconds or, as proxies do, as a date.
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

// untilReset returns how long the hour lasts that the answer counts in, 0 if it does not say.
func (a answer) untilReset() time.Duration {
	reset, err := strconv.ParseInt(a.header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(reset, 0).Sub(a.clock()), minWait), maxWait)
}

// clock returns GitHub's time where the answer tells it: ours may be wrong.
func (a answer) clock() time.Time {
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// cut returns the first 200 runes of a text from outside.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "..."
	}
	return text
}
