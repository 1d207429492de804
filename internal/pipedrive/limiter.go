package pipedrive

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gistdeal"
	"gistdeal/internal/loop"
)

const (
	// window is the length of the burst limit's rolling window. Pipedrive docs, "Rate
	// limiting".
	window = 2 * time.Second
	// minMargin is the time by which our window is at least longer than Pipedrive's,
	// because measured times are not exact.
	minMargin = 20 * time.Millisecond
	// minLimit is the number of requests in a window that every plan allows. Pipedrive
	// docs, "Rate limiting".
	minLimit = 20
	// memory is the time for which measurements count; some count for twice as long.
	memory = 10 * time.Second
	// minAnswers is the number of answers that show how fast an answer can be.
	minAnswers = 10
)

// limiter keeps the requests with a key below the account's limit, even while other
// programs use the same key. The answers report the limit.
//
// A request waits twice. First, wait spaces the requests evenly. It never sends faster
// after idle time, nor after a restart, when the previous requests are unknown. Then
// enter, right before the write on an established connection, admits a request only if
// it fits into the window. The time between the two varies, because it includes a commit
// or a handshake.
type limiter struct {
	configured int // highest number of requests in a window; 0 means the account's limit alone

	mu      sync.Mutex
	limit   int // number of requests in a window that the account allows
	others  others
	sent    sentRequests
	turn    time.Time // of the next request
	blocked time.Time // no request is sent before
	reason  error     // why no request is sent
	refused int       // times in a row that a limit refused a request after the wait
}

// newLimiter returns a limiter for at most rate requests a second. With 0 only the
// account's limit applies.
func newLimiter(rate float64) *limiter {
	l := &limiter{limit: minLimit}
	if rate != 0 {
		l.configured = max(int(rate*window.Seconds()), 1)
		l.limit = l.configured
	}
	return l
}

// share returns the number of requests in a window that other programs leave to us.
func (l *limiter) share() int {
	share := l.limit - l.others.estimate()
	if l.configured != 0 {
		share = min(share, l.configured)
	}
	return max(share, 1)
}

// pace returns the highest number of requests a second if no other program uses the key.
func (l *limiter) pace() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit
	if l.configured != 0 {
		limit = min(limit, l.configured)
	}
	return float64(limit) / (window + minMargin).Seconds()
}

// wait waits for the caller's turn. It returns a Limited error if requests are blocked.
func (l *limiter) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // Do not use up a turn.
	}
	at, err := l.takeTurn(time.Now())
	if err != nil {
		return err
	}
	return sleepUntil(ctx, at)
}

func (l *limiter) takeTurn(now time.Time) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.blockedError(now); err != nil {
		return now, err
	}
	interval := (window + l.sent.margin(now) + l.sent.usualDelay(now)) / time.Duration(l.share())
	at := l.turn
	if at.IsZero() {
		at = now.Add(interval) // An earlier process may have sent a request just now.
	}
	if at.Before(now) {
		at = now
	}
	l.turn = at.Add(interval)
	return at, nil
}

// enter waits until the window has room for a request that is about to be sent. After an
// error the request must not be sent. Otherwise the caller calls end, and then record if
// there is an answer.
func (l *limiter) enter(ctx context.Context) (*sentRequest, error) {
	for {
		r, free, err := l.tryEnter(time.Now())
		if err != nil || r != nil {
			return r, err
		}
		if err := sleepUntil(ctx, free); err != nil {
			return nil, err
		}
	}
}

// tryEnter counts the request as sent, or returns nil and the time at which the window
// may have room.
func (l *limiter) tryEnter(now time.Time) (r *sentRequest, free time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.blockedError(now); err != nil {
		return nil, now, err
	}
	exits := l.sent.exits(now)
	if over := len(exits) - l.share(); over >= 0 {
		free = exits[over]
		if l.turn.Before(free) {
			l.turn = free // Later requests wait for their turn, where no deadline runs.
		}
		return nil, free, nil
	}
	return l.sent.add(now, len(exits)+1), now, nil
}

// blockedError returns a Limited error if requests are blocked, or nil.
func (l *limiter) blockedError(now time.Time) error {
	left := l.blocked.Sub(now)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: l.reason}
}

// block blocks all requests after a limit refused one, and returns for how long: at least
// d, and longer each time that the first request after the wait is refused too, up to an
// hour. Pipedrive would refuse further requests too, or ban the key.
func (l *limiter) block(d time.Duration, reason error) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !now.Before(l.blocked) { // Otherwise the request was sent before the wait.
		l.refused++
	}
	d = max(d, min(burstWait<<min(2*(l.refused-1), 20), dayWait))
	if until := now.Add(d); until.After(l.blocked) {
		l.blocked, l.reason = until, reason
	}
	return d
}

// accepted records that no limit refused a request.
func (l *limiter) accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !time.Now().Before(l.blocked) { // Otherwise the request was sent before the wait.
		l.refused = 0
	}
}

// end records that the answer to a request began or that it has failed. r is nil if the
// request did not enter.
func (l *limiter) end(r *sentRequest) {
	if r == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ended = time.Now()
}

// record records an answer after end: the limit in its headers, and whether the limit
// refused the request. Headers: Pipedrive docs, "Rate limiting"; each may be absent.
func (l *limiter) record(r *sentRequest, refused bool, h http.Header) {
	if r == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent.fastest.record(r.ended.Sub(r.sent), r.ended)
	foreign := 0
	if limit, exists := headerCount(h, "x-ratelimit-limit"); exists && limit > 0 {
		l.limit = limit
		if remaining, exists := headerCount(h, "x-ratelimit-remaining"); exists {
			foreign = limit - remaining - l.sent.countedWith(r)
		}
	}
	l.others.record(foreign, r.ended)
	if refused && r.inWindow <= l.share() {
		// The headers do not explain the refusal.
		l.others.record(l.limit-r.inWindow*3/4, r.ended)
	}
}

// others estimates the number of requests in a window from other programs with the same
// key. An answer gives a lower bound: the account counted more requests than can be
// ours. The estimate is the highest recent bound, and one more because other programs do
// not wait for each other.
type others struct {
	current, previous int
	since             time.Time
}

func (o *others) estimate() int {
	if n := max(o.current, o.previous); n > 0 {
		return n + 1
	}
	return 0
}

func (o *others) record(n int, now time.Time) {
	if now.Sub(o.since) >= memory {
		o.previous, o.current, o.since = o.current, 0, now
	}
	o.current = max(o.current, n)
}

// headerCount parses a header with a number of at least 0. exists is false for any other
// text.
func headerCount(h http.Header, name string) (n int, exists bool) {
	n, err := strconv.Atoi(h.Get(name))
	return n, err == nil && n >= 0
}

// sleepUntil waits until the given time. It returns ctx's error if ctx ends before.
func sleepUntil(ctx context.Context, at time.Time) error {
	loop.Sleep(ctx, time.Until(at))
	return ctx.Err()
}
