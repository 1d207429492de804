package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// quota counts the requests of one token in an hour. All requests without a token
// share one quota.
type quota struct {
	limit, used int
	reset       time.Time
}

// window returns the quota of the caller among those of one API.
func window(quotas map[string]*quota, c *call, hour time.Duration) *quota {
	key := c.Header.Get("Authorization")
	q := quotas[key]
	if q == nil || !c.now.Before(q.reset) {
		// The header has whole seconds.
		q = &quota{reset: c.now.Add(hour).Truncate(time.Second)}
		quotas[key] = q
	}
	return q
}

// quota returns the quota of the caller.
func (h *gitHub) quota(c *call) *quota {
	q := window(h.quotas, c, h.o.GitHubHour)
	q.limit = h.o.GitHubLimit
	if q.limit < 0 {
		q.limit = defaultHourly
	}
	if c.Header.Get("Authorization") == "" {
		q.limit = min(q.limit, anonymousHourly)
	}
	return q
}

func (q *quota) remaining() int { return max(0, q.limit-q.used) }

func (q *quota) json() rateJSON {
	return rateJSON{Limit: q.limit, Remaining: q.remaining(), Used: q.used, Reset: q.reset.Unix()}
}

// headers adds the quota headers. GitHub sends them with every response, including a
// 304. GitHub docs, "Rate limits for the REST API".
func (q *quota) headers(c *call, resource string) {
	c.header.Set("X-RateLimit-Limit", strconv.Itoa(q.limit))
	c.header.Set("X-RateLimit-Used", strconv.Itoa(q.used))
	c.header.Set("X-RateLimit-Remaining", strconv.Itoa(q.remaining()))
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(q.reset.Unix(), 10))
	c.header.Set("X-RateLimit-Resource", resource)
}

// known refuses requests without a program's name, with a wrong token and for an
// unknown version, in GitHub's order.
func (h *gitHub) known(c *call) (response, bool) {
	token, given := bearer(c)
	switch {
	case c.UserAgent() == "":
		return response{
			status: http.StatusForbidden,
			header: http.Header{"Content-Type": {"text/html"}},
			body:   []byte("\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header.\r\n"),
		}, false
	case given && h.o.GitHubToken != "" && token != h.o.GitHubToken:
		return h.errorResponse(http.StatusUnauthorized), false
	case !supported(c.Request):
		return gitHubError(http.StatusBadRequest, "The version of the API in the header X-GitHub-Api-Version is not supported."), false
	}
	return response{}, true
}

// bearer returns the token of a request.
func bearer(c *call) (token string, given bool) {
	return strings.CutPrefix(strings.Replace(c.Header.Get("Authorization"), "token ", "Bearer ", 1), "Bearer ")
}

// admit does the checks that GitHub does before it handles a request, in the same
// order.
func (h *gitHub) admit(c *call) (response, bool) {
	if a, ok := h.known(c); !ok {
		return a, false
	}
	_, given := bearer(c)
	q := h.quota(c)
	h.rateHeaders(c, q)
	if given && h.o.AppToken && notForApps(c) {
		return gitHubError(http.StatusForbidden, "Resource not accessible by integration"), false
	}
	if h.o.GitHubLimit > 0 && c.route.cost > 0 && q.used >= q.limit {
		h.refused++
		return hourSpent(q.reset), false
	}
	return response{}, true
}

// finish adds the ETag and the quota headers to a response. It turns the response
// into a 304 if the client already has it.
func (h *gitHub) finish(c *call, a response) response {
	a.header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	a.header.Set("X-GitHub-Api-Version-Selected", version(c.Request))
	a.header.Set("Cache-Control", visibility(c)+", max-age=60, s-maxage=60")
	if h.o.TokenScopes != "" && c.Header.Get("Authorization") != "" {
		a.header.Set("X-OAuth-Scopes", h.o.TokenScopes)
	}
	a.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
	cost := c.route.cost
	if a.status == http.StatusOK {
		tag := etag(c, a.body)
		a.header.Set("ETag", tag)
		if given := c.Header.Get("If-None-Match"); given != "" && weak(given) == weak(tag) {
			a.status, a.body = http.StatusNotModified, nil
			// GitHub docs, "Best practices": a 304 is free only with an Authorization header.
			if c.Header.Get("Authorization") != "" {
				cost = 0
			}
		}
	}
	q := h.quota(c)
	if h.o.GitHubLimit > 0 {
		q.used += cost
	}
	h.rateHeaders(c, q)
	return a
}

// rateHeaders adds the quota headers if there is a quota.
func (h *gitHub) rateHeaders(c *call, q *quota) {
	if h.o.GitHubLimit > 0 {
		q.headers(c, "core")
	}
}

func visibility(c *call) string {
	if c.Header.Get("Authorization") == "" {
		return "public"
	}
	return "private"
}

// etag returns a strong tag with a token and a weak one without. The tag depends
// on the token and on Accept, as others have measured.
func etag(c *call, body []byte) string {
	sum := sha256.New()
	sum.Write([]byte(c.Header.Get("Accept") + ":" + c.Header.Get("Authorization") + ":" + c.Header.Get("Cookie") + ":"))
	sum.Write(body)
	tag := `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
	if c.Header.Get("Authorization") == "" {
		return "W/" + tag
	}
	return tag
}

func weak(tag string) string { return strings.TrimPrefix(tag, "W/") }

// gitHubError returns an error in GitHub's format.
func gitHubError(status int, message string) response {
	return reply(status, map[string]string{
		"message":           message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            strconv.Itoa(status),
	})
}

func (h *gitHub) errorResponse(status int) response {
	messages := map[int]string{
		http.StatusUnauthorized:        "Bad credentials",
		http.StatusForbidden:           "Forbidden",
		http.StatusNotFound:            "Not Found",
		http.StatusInternalServerError: "Server Error",
		http.StatusBadGateway:          "Server Error",
	}
	message, exists := messages[status]
	if !exists {
		message = http.StatusText(status)
	}
	return gitHubError(status, message)
}

// invalid returns GitHub's 422.
func invalid(message string) response {
	return reply(http.StatusUnprocessableEntity, map[string]any{
		"message": message, "errors": []any{}, "documentation_url": "https://docs.github.com/rest", "status": "422",
	})
}

// limited returns the response of the secondary limit. GitHub docs, "Rate limits
// for the REST API": 403 or 429 with retry-after, while the primary limit is not
// exceeded.
func (h *gitHub) limited() response {
	a := reply(http.StatusForbidden, map[string]string{
		"message":           "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		"documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
	})
	a.header.Set("Retry-After", "60")
	return a
}

func (h *gitHub) spent(now time.Time) response { return hourSpent(now.Add(h.o.GitHubHour)) }

// hourSpent returns the response of the primary limit.
func hourSpent(reset time.Time) response {
	a := reply(http.StatusForbidden, map[string]string{
		"message":           "API rate limit exceeded.",
		"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
	})
	spentHeaders(a, reset)
	return a
}

func spentHeaders(a response, reset time.Time) {
	a.header.Set("X-RateLimit-Remaining", "0")
	a.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
}
