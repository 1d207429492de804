package github

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gistdeal"
)

// GitHub allows 900 points a minute, with one point for a GET, and 100 concurrent
// requests, and recommends fewer (GitHub docs, "Rate limits for the REST API"). These
// rates allow at most 720 requests in a minute, and 840 with a restart in between.
const (
	perSecond = 10
	burst     = 120
	inFlight  = 10

	// Background requests always leave room for an interactive burst.
	backgroundPerSecond = 7
	backgroundBurst     = 7
	backgroundInFlight  = 5
)

const (
	// A tenth of each hour's requests is reserved for interactive use, but at least enough
	// for one lookup of a user and some pages.
	reservedShare = 10
	reservedMin   = 10

	maxDoublings = 6 // of defaultWait: 64 minutes

	// GitHub refuses some requests of one resource with the words of a limit. Without a
	// header of a limit, this many different resources have to be refused in a row before
	// the limit counts as the token's.
	refusedInRow = 3
	maxRefused   = 1000 // remembered resources
)

// AnonymousLimit is the number of requests an hour that GitHub allows from one address
// without a token (GitHub docs, "Rate limits for the REST API").
const AnonymousLimit = 60

// usualLimit is the number of requests an hour that GitHub allows with a token (same page).
const usualLimit = 5000

// QuotaHour is the name of GitHub's quota of requests per hour.
const QuotaHour = "github-hour"

// Reserved returns the number of requests reserved for interactive use, out of limit
// requests an hour. Background scans do not start if no more than these remain.
func Reserved(limit int) int { return max(limit/reservedShare, reservedMin) }

// limiter keeps all requests of a token within GitHub's limits. It measures the
// duration of limits with the local clock.
type limiter struct {
	interactive, background *throttle

	mu       sync.Mutex
	quota    gistdeal.Quota
	until    time.Time      // no request is sent before
	reason   error          // why no request is sent
	refusals int            // number of refusals in a row that named no time
	answers  int            // number of answers that were no refusals
	refused  map[string]int // by resource that was refused last time: the number of answers then
}

func newLimiter() *limiter {
	interactive := &throttle{rate: rate.NewLimiter(perSecond, burst), slots: make(chan struct{}, inFlight)}
	return &limiter{
		interactive: interactive,
		background: &throttle{
			rate:  rate.NewLimiter(backgroundPerSecond, backgroundBurst),
			slots: make(chan struct{}, backgroundInFlight), parent: interactive,
		},
		quota:   gistdeal.Quota{Name: QuotaHour},
		refused: map[string]int{},
	}
}

// forget forgets the limits of a token, because another one takes its place.
func (l *limiter) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until, l.refusals, l.quota = time.Time{}, 0, gistdeal.Quota{Name: QuotaHour}
	clear(l.refused)
}

// acquire waits until t admits a request. The caller releases t after the answer. It
// returns a Limited error if no request may be sent.
func (l *limiter) acquire(ctx context.Context, t *throttle) error {
	if err := l.blocked(); err != nil {
		return err
	}
	if err := t.acquire(ctx); err != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", err)
	}
	// An earlier request may have reached a limit during the wait.
	if err := l.blocked(); err != nil {
		t.release()
		return err
	}
	return nil
}

// blocked returns a Limited error if no request may be sent now, or nil.
func (l *limiter) blocked() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(l.until)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: l.reason}
}

// reserved returns a Limited error if the remaining requests of the hour are reserved
// for interactive use, or nil.
func (l *limiter) reserved() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.quota
	left := time.Until(q.Reset)
	if q.Limit == 0 || q.Remaining > q.Reserved || left <= 0 {
		return nil
	}
	return newError(gistdeal.Limited, left, "the last %d of the %d requests that GitHub allows this hour are reserved for interactive use", q.Reserved, q.Limit)
}

// record records the limits in an answer about a resource, which is the address without
// its query. If the answer refuses because of a limit, record returns a Limited error; if
// the limit is the token's, it also blocks all requests.
func (l *limiter) record(resource string, a answer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	blocked := now.Before(l.until) // The request was sent before another one reached a limit.
	l.recordQuota(a, now)
	wait, message, limited := a.limit()
	if !limited {
		if !blocked && a.status < 500 {
			l.answered(resource)
		}
		return nil
	}
	if !l.limitsToken(resource, a) {
		return newError(gistdeal.Limited, cmp.Or(wait, defaultWait), "GitHub refuses only this for now: %d %q", a.status, truncate(message))
	}
	if wait == 0 {
		wait = l.unnamed(blocked)
	}
	return l.refuse(now, wait, a.status, message)
}

// secondary blocks all requests because of a limit that a query has met, and returns the
// error. Such a limit counts queries and other requests together.
func (l *limiter) secondary(status int, wait time.Duration, message string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if wait == 0 {
		wait = l.unnamed(now.Before(l.until))
	}
	return l.refuse(now, wait, status, message)
}

// succeeded records an answer to a query.
func (l *limiter) succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !time.Now().Before(l.until) {
		l.refusals = 0
	}
}

// unnamed returns the wait after a refusal that names none, and counts it unless requests
// were blocked already; l.mu is held.
func (l *limiter) unnamed(blocked bool) time.Duration {
	if !blocked {
		l.refusals++
	}
	return min(defaultWait<<min(max(l.refusals-1, 0), maxDoublings), maxWait)
}

// refuse blocks all requests after a refusal at now, and returns the error; l.mu is held.
func (l *limiter) refuse(now time.Time, wait time.Duration, status int, message string) error {
	l.block(now.Add(wait), fmt.Errorf("GitHub limits our requests: %d %q", status, truncate(message)))
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: l.until.Sub(now), Err: l.reason}
}

// answered records an answer that is not a refusal.
func (l *limiter) answered(resource string) {
	l.answers++
	l.refusals = 0
	delete(l.refused, resource)
}

// limitsToken reports whether a refusal of a resource concerns all requests of the token.
// A list that GitHub refuses for reasons of its own must not stop the others.
func (l *limiter) limitsToken(resource string, a answer) bool {
	before, again := l.refused[resource]
	if len(l.refused) >= maxRefused {
		clear(l.refused)
	}
	l.refused[resource] = l.answers
	inRow := 0
	for _, answers := range l.refused {
		if answers == l.answers {
			inRow++
		}
	}
	switch {
	case a.header.Get("X-RateLimit-Remaining") == "0" || inRow >= refusedInRow:
		return true
	case again && before < l.answers:
		return false // Others were answered since this resource was refused last time.
	}
	return a.header.Get("Retry-After") != ""
}

// recordQuota records the quota in an answer. Answers may arrive out of order; the error
// in Remaining is smaller than the reserved share.
func (l *limiter) recordQuota(a answer, now time.Time) {
	limit, err1 := strconv.Atoi(a.header.Get("X-RateLimit-Limit"))
	remaining, err2 := strconv.Atoi(a.header.Get("X-RateLimit-Remaining"))
	left := a.untilReset()
	if err1 != nil || err2 != nil || left == 0 || limit <= 0 {
		return
	}
	l.quota = gistdeal.Quota{
		Name: QuotaHour, Limit: limit, Remaining: remaining, Reserved: Reserved(limit), Reset: now.Add(left), SeenAt: now,
	}
	if remaining > 0 {
		return
	}
	advice := ""
	if limit <= AnonymousLimit {
		advice = ": set GITHUB_TOKEN to get 5,000"
	}
	l.block(now.Add(left), fmt.Errorf("all %d requests that GitHub allows this hour are spent%s", limit, advice))
}

// block blocks all requests until the given time.
func (l *limiter) block(until time.Time, reason error) {
	if until.After(l.until) {
		l.until, l.reason = until, reason
	}
}

// throttle limits the rate and the number of concurrent requests.
type throttle struct {
	rate   *rate.Limiter
	slots  chan struct{}
	parent *throttle // applies as well; may be nil
}

func (t *throttle) acquire(ctx context.Context) error {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := t.rate.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		err = context.DeadlineExceeded // The context would end before the turn comes.
	}
	if err == nil && t.parent != nil {
		err = t.parent.acquire(ctx)
	}
	if err != nil {
		<-t.slots
	}
	return err
}

func (t *throttle) release() {
	if t.parent != nil {
		t.parent.release()
	}
	<-t.slots
}
