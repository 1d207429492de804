package pipedrive

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

const (
	banWait   = 15 * time.Minute // after Cloudflare's HTML 403
	dayWait   = time.Hour        // between probes of a spent day
	capWait   = time.Hour        // between probes of a plan that is full
	burstWait = 2 * time.Second  // the window of the burst limit
	maxBurst  = 10 * time.Second
	// notBurst is longer than the waits after which a burst limit accepts requests again:
	// a limit that still refuses them means a spent day, even without a header that says so.
	notBurst = 30 * time.Second
	// maxRetryAfter is the longest wait that an answer can request.
	maxRetryAfter = 24 * time.Hour
	detailRunes   = 300
)

// Banned begins the text of the error of a ban, also where the text is stored.
const Banned = "Pipedrive's gateway has banned this key or address for a while"

// statusError returns the error for the answer's status, or nil for a 2xx. It assumes
// that a failed request did nothing; CreateDeal handles a 5xx itself, because a failed
// POST may have created the deal. The meaning of the codes is from Pipedrive's docs,
// "HTTP status codes" and "Rate limiting".
func (a answer) statusError() error {
	switch {
	case a.status >= 200 && a.status < 300:
		return nil
	case a.status < 400:
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive redirects (%d), which its API never does: check PIPEDRIVE_API_URL", a.status)
	case a.status == http.StatusTooManyRequests:
		return a.limited()
	case a.status == http.StatusForbidden:
		return a.forbidden()
	case a.status >= 500 || a.status == http.StatusRequestTimeout:
		return gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered %d%s", a.status, a.detail())
	}
	switch a.status {
	case http.StatusUnauthorized:
		return &gistdeal.Error{Kind: gistdeal.Unauthorized, Err: &markedError{gistdeal.ErrKeyRefused, "Pipedrive refuses the key (401): set PIPEDRIVE_API_KEY to the API token of an active user"}}
	case http.StatusPaymentRequired:
		return gistdeal.Errorf(gistdeal.Unauthorized, "the Pipedrive account is not open (402): check whether its trial or payment has ended")
	case http.StatusGone:
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive no longer offers this call (410): upgrade gistdeal")
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		// 415 can also mean that the plan lacks the feature.
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive does not offer this call here (%d)%s: check PIPEDRIVE_API_URL and the plan", a.status, a.detail())
	case http.StatusNotFound:
		return gistdeal.Errorf(gistdeal.NotFound, "Pipedrive answered 404%s", a.detail())
	}
	return gistdeal.Errorf(gistdeal.Invalid, "Pipedrive refuses the request (%d)%s", a.status, a.detail())
}

// forbidden distinguishes the three meanings of a 403.
func (a answer) forbidden() error {
	if !a.isJSON() {
		return &gistdeal.Error{
			Kind: gistdeal.Limited, RetryAfter: max(banWait, a.wait),
			Err: gistdeal.Errorf(gistdeal.Limited, Banned+" (403, not JSON)"),
		}
	}
	if strings.HasPrefix(a.code(), "feature_capping") {
		return &gistdeal.Error{
			Kind: gistdeal.Unauthorized, RetryAfter: capWait,
			Err: &markedError{gistdeal.ErrForbidden, fmt.Sprintf("the Pipedrive plan is full (403)%s", a.detail())},
		}
	}
	return &gistdeal.Error{Kind: gistdeal.Invalid, Err: &markedError{
		gistdeal.ErrForbidden,
		fmt.Sprintf("Pipedrive forbids the request (403)%s: check the permissions of the key's user and the required fields", a.detail()),
	}}
}

// markedError is an error of the domain with a text for operators.
type markedError struct {
	mark error
	text string
}

func (e *markedError) Error() string { return e.text }

// Unwrap returns the error of the domain.
func (e *markedError) Unwrap() error { return e.mark }

// limited returns the error for a 429.
func (a answer) limited() error {
	requested := min(seconds(a.header.Get("Retry-After")), maxRetryAfter)
	if a.daySpent() {
		return &gistdeal.Error{
			// What Pipedrive asks for can be useless: 3 seconds on a day that is spent.
			Kind: gistdeal.Limited, RetryAfter: max(requested, untilNextProbe(a.clock()), a.wait),
			Err: &markedError{gistdeal.ErrQuotaSpent, "the day's quota of Pipedrive requests is spent (429)"},
		}
	}
	reset := min(max(seconds(a.header.Get("x-ratelimit-reset")), burstWait), maxBurst)
	return &gistdeal.Error{
		Kind: gistdeal.Limited, RetryAfter: max(requested, reset, a.wait),
		Err: gistdeal.Errorf(gistdeal.Limited, "Pipedrive's rate limit is reached (429)"),
	}
}

// daySpent reports whether a 429 means that the day's quota is spent: a header says so,
// or there is no header about the day's tokens and the two-second window has room.
func (a answer) daySpent() bool {
	if a.status != http.StatusTooManyRequests {
		return false
	}
	tokens, hasTokens := headerCount(a.header, "x-daily-ratelimit-token-remaining")
	posts, hasPosts := headerCount(a.header, "x-daily-requests-left")
	if hasTokens && tokens == 0 || hasPosts && posts == 0 {
		return true
	}
	room, hasRoom := headerCount(a.header, "x-ratelimit-remaining")
	return !hasTokens && hasRoom && room > 0
}

// clock returns the answer's time, or the local time if it has none.
func (a answer) clock() time.Time {
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// seconds parses a header with a number of seconds. It returns 0 for any other text.
func seconds(header string) time.Duration {
	n, err := strconv.ParseFloat(header, 64)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// errorBody is the body of a refusal. Each field may be absent, and the texts may change
// without notice.
type errorBody struct {
	Error string `json:"error"`
	Code  any    `json:"code"`
}

func (a answer) errorBody() (e errorBody) {
	if a.isJSON() {
		_ = json.Unmarshal(a.body, &e) // An unreadable body has no message.
	}
	return e
}

func (a answer) code() string {
	code, _ := a.errorBody().Code.(string)
	return code
}

// detail returns ": " and the answer's message, or "" if there is none.
func (a answer) detail() string {
	if text := gistdeal.ShortText(a.errorBody().Error, detailRunes); text != "" {
		return ": " + text
	}
	return ""
}
