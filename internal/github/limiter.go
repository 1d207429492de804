package github

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gistdeal"
)

// GitHub docs, "Rate limits for the REST API": no more than 900 points a minute,
// a GET is one; no more than 100 requests at a time, and less is asked for. Of
// a burst and 60 s come at most 720, and 840 with a restart in between.
const (
	perSecond = 10
	burst     = 120
	inFlight  = 10

	// Background requests leave room at all times for the next interactive burst.
	backgroundPerSecond = 7
	backgroundBurst     = 7
	backgroundInFlight  = 5
)

const (
	// Of each hour a tenth is kept for people, and not less than a look-up and
	// some pages.
	reservedShare = 10
	reservedMin   = 10

	maxDoublings = 6 // of unnamedWait: 64 minutes
)

// AnonymousLimit is how many requests an hour GitHub allows to one address
// without a token (GitHub docs, "Rate limits for the REST API").
const AnonymousLimit = 60

// QuotaHour is the name of GitHub's quota per hour.
const QuotaHour = "github-hour"

// Reserved returns how many of an hour's requests are left to people: background
// work begins nothing any more when so few remain.
func Reserved(limit int) int { return max(limit/reservedShare, reservedMin) }

// limiter keeps all requests of a token within GitHub's limits. It measures the
// duration of limits with our own clock.
type limiter struct {
	people, background *lane

	mu       sync.Mutex
	quota    gistdeal.Quota
	until    time.Time // nothing is sent before
	reason   error
	refusals int // in a row, without a time from GitHub
}

func newLimiter() *limiter {
	people := &lane{rate: rate.NewLimiter(perSecond, burst), slots: make(chan struct{}, inFlight)}
	return &limiter{
		people: people,
		background: &lane{
			rate:  rate.NewLimiter(backgroundPerSecond, backgroundBurst),
			slots: make(chan struct{}, backgroundInFlight), within: people,
		},
		quota: gistdeal.Quota{Name: QuotaHour},
	}
}

// enter waits for the turn of a request in a lane, which the caller leaves
// after the answer. It returns a Limited error instead if nothing may be sent.
func (l *limiter) enter(ctx context.Context, by *lane) error {
	if err := l.closed(); err != nil {
		return err
	}
	if err := by.enter(ctx); err != nil {
		return gistdeal.Errorf(gistdeal.Temporary, "%w", err)
	}
	// The answer to a request that went before may have been a limit's.
	if err := l.closed(); err != nil {
		by.leave()
		return err
	}
	return nil
}

// closed returns a Limited error if nothing may be sent now, or nil.
func (l *limiter) closed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(l.until)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: l.reason}
}

// kept returns a Limited error if the rest of the hour is reserved, or nil.
func (l *limiter) kept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.quota
	left := time.Until(b.Reset)
	if b.Limit == 0 || b.Remaining > b.Reserved || left <= 0 {
		return nil
	}
	return refused(gistdeal.Limited, left, "the last %d of the %d requests that GitHub allows this hour are kept for people who ask", b.Reserved, b.Limit)
}

// learn reads the limits in an answer. If the answer refuses because of a limit, it
// stops all requests and returns a Limited error.
func (l *limiter) learn(a answer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	under := now.Before(l.until) // sent before others met a limit
	l.count(a, now)
	wait, message, limited := a.limit()
	if !limited {
		if !under {
			l.refusals = 0
		}
		return nil
	}
	if wait == 0 {
		if !under {
			l.refusals++
		}
		wait = min(unnamedWait<<min(max(l.refusals-1, 0), maxDoublings), maxWait)
	}
	l.stop(now.Add(wait), fmt.Errorf("GitHub limits our requests: %d %q", a.status, cut(message)))
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: l.until.Sub(now), Err: l.reason}
}

// count records the rest of the hour. Answers may overtake one another, but by no more
// than the reserved share.
func (l *limiter) count(a answer, now time.Time) {
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
		advice = ": with a GITHUB_TOKEN it allows 5,000"
	}
	l.stop(now.Add(left), fmt.Errorf("all %d requests that GitHub allows this hour are spent%s", limit, advice))
}

// stop lets nothing be sent until then.
func (l *limiter) stop(until time.Time, reason error) {
	if until.After(l.until) {
		l.until, l.reason = until, reason
	}
}

// lane is where requests wait for their turn: so many a second and so many at a time.
type lane struct {
	rate   *rate.Limiter
	slots  chan struct{}
	within *lane // with limits that apply as well, or nil
}

func (l *lane) enter(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := l.rate.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		err = context.DeadlineExceeded // it would be over before the turn comes
	}
	if err == nil && l.within != nil {
		err = l.within.enter(ctx)
	}
	if err != nil {
		<-l.slots
	}
	return err
}

func (l *lane) leave() {
	if l.within != nil {
		l.within.leave()
	}
	<-l.slots
}
