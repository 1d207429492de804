package pipedrive

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

const (
	banPause   = 15 * time.Minute // after Cloudflare's HTML 403
	dayPause   = time.Hour        // between probes of a spent day
	capPause   = time.Hour        // between probes of a plan that is full
	burstPause = 2 * time.Second  // the window of the burst limit
	maxBurst   = 10 * time.Second
	// maxRetryAfter is how long an answer may ask us to wait.
	maxRetryAfter = 24 * time.Hour
	detailRunes   = 300
)

// refusal returns nil for a 2xx answer and otherwise the error that its status
// stands for, as for a request that did nothing if it failed. (For a POST that
// may have done something CreateDeal decides about 5xx itself.) The meaning of
// the codes is from Pipedrive's docs, "HTTP status codes" and "Rate limiting".
func (a answer) refusal() error {
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
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive refuses the key (401): set PIPEDRIVE_API_KEY to the API token of an active user")
	case http.StatusPaymentRequired:
		return gistdeal.Errorf(gistdeal.Unauthorized, "the Pipedrive account is not open (402): has its trial or payment ended?")
	case http.StatusGone:
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive no longer offers this call (410): upgrade gistdeal")
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		// 415 also says that the plan does not have the feature.
		return gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive does not offer this call here (%d)%s: check PIPEDRIVE_API_URL and the plan", a.status, a.detail())
	case http.StatusNotFound:
		return gistdeal.Errorf(gistdeal.NotFound, "Pipedrive answered 404%s", a.detail())
	}
	return gistdeal.Errorf(gistdeal.Invalid, "Pipedrive refuses (%d)%s", a.status, a.detail())
}

// forbidden tells the three meanings of 403 apart.
func (a answer) forbidden() error {
	if !a.isJSON() {
		return &gistdeal.Error{
			Kind: gistdeal.Limited, RetryAfter: banPause,
			Err: gistdeal.Errorf(gistdeal.Limited, "Pipedrive's gateway has banned this key or address for a while (403, not JSON)"),
		}
	}
	if strings.HasPrefix(a.code(), "feature_capping") {
		return &gistdeal.Error{
			Kind: gistdeal.Unauthorized, RetryAfter: capPause,
			Err: gistdeal.Errorf(gistdeal.Unauthorized, "the Pipedrive plan is full (403)%s", a.detail()),
		}
	}
	return gistdeal.Errorf(gistdeal.Invalid, "Pipedrive forbids it (403)%s: has the key's user the permission, are all required fields sent?", a.detail())
}

// limited returns the error that a 429 stands for.
func (a answer) limited() error {
	asked := min(seconds(a.header.Get("Retry-After")), maxRetryAfter)
	if a.daySpent() {
		return &gistdeal.Error{
			Kind: gistdeal.Limited, RetryAfter: cmp.Or(asked, untilNextProbe(a.clock())),
			Err: &spent{"the day's budget of Pipedrive requests is spent (429)"},
		}
	}
	reset := min(max(seconds(a.header.Get("x-ratelimit-reset")), burstPause), maxBurst)
	return &gistdeal.Error{
		Kind: gistdeal.Limited, RetryAfter: max(asked, reset),
		Err: gistdeal.Errorf(gistdeal.Limited, "Pipedrive's limit of requests is reached (429)"),
	}
}

// daySpent tells the two meanings of a 429 apart: the day is spent if it says
// so, or if it is silent on the day and there is room in the two-second window.
func (a answer) daySpent() bool {
	if a.status != http.StatusTooManyRequests {
		return false
	}
	tokens, told := count(a.header, "x-daily-ratelimit-token-remaining")
	posts, postsTold := count(a.header, "x-daily-requests-left")
	if told && tokens == 0 || postsTold && posts == 0 {
		return true
	}
	room, exists := count(a.header, "x-ratelimit-remaining")
	return !told && exists && room > 0
}

// clock returns the answer's time, ours if it tells none.
func (a answer) clock() time.Time {
	if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
		return date
	}
	return time.Now()
}

// seconds reads a header that counts seconds from now; 0 if it does not.
func seconds(header string) time.Duration {
	n, err := strconv.ParseFloat(header, 64)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// problem is the form of an answer that refuses; every part may be absent, and
// its words may change without notice.
type problem struct {
	Error string `json:"error"`
	Code  any    `json:"code"`
}

func (a answer) problem() (p problem) {
	if a.isJSON() {
		_ = json.Unmarshal(a.body, &p) // An unreadable body has no message.
	}
	return p
}

func (a answer) code() string {
	code, _ := a.problem().Code.(string)
	return code
}

// detail returns ": " and the answer's message, or "".
func (a answer) detail() string {
	if text := cut(a.problem().Error, detailRunes); text != "" {
		return ": " + text
	}
	return ""
}
