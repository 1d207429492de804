package pipedrive

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gistdeal"
)

const (
	// window is the rolling window of the burst limit. Pipedrive docs, "Rate limiting".
	window = 2 * time.Second
	// guard is by how much our windows are longer: a request takes a little
	// longer or shorter on its way than the one that left a window before it.
	guard = 30 * time.Millisecond
	// everyPlan is how many requests in a window every plan allows. The same.
	everyPlan = 20
)

// limiter keeps the requests with a key below the account's limit, as reported by
// its answers, also while other programs use the same key.
//
// A request waits twice. wait hands out turns evenly, so that no idle time is made
// up for, not even after a restart, when the last requests are unknown. enter comes
// after the connection is established, right before the write, and admits a request
// only if it fits into the window: a commit or a handshake between the two takes
// longer for some requests than for others.
type limiter struct {
	most int // at most so many requests in a window; 0 means only the account's limit

	mu      sync.Mutex
	limit   int         // requests in a window that the account allows
	others  others      // made by others
	sent    []time.Time // our requests of the last window, with its guard
	turn    time.Time   // of the next request
	blocked time.Time   // nothing is sent before
	why     error
}

// newLimiter returns a limiter for at most rate requests a second; 0 means the
// account's limit.
func newLimiter(rate float64) *limiter {
	l := &limiter{limit: everyPlan}
	if rate != 0 {
		l.most = max(int(rate*window.Seconds()), 1)
		l.limit = l.most
	}
	return l
}

// share returns how many requests in a window are ours.
func (l *limiter) share() int {
	share := l.limit - l.others.most()
	if l.most != 0 {
		share = min(share, l.most)
	}
	return max(share, 1)
}

// pace returns how many requests a second are ours while nobody else makes any.
func (l *limiter) pace() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := l.limit
	if l.most != 0 {
		most = min(most, l.most)
	}
	return float64(most) / (window + guard).Seconds()
}

// wait returns nil when it is the caller's turn, or why there is none.
func (l *limiter) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // and takes nobody's turn
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
	if err := l.refusal(now); err != nil {
		return now, err
	}
	interval := (window + guard) / time.Duration(l.share())
	at := l.turn
	if at.IsZero() {
		at = now.Add(interval) // Another process may have sent just now.
	}
	if at.Before(now) {
		at = now
	}
	l.turn = at.Add(interval)
	return at, nil
}

// enter returns when the window has room for the request that is about to be
// sent, and how many of our requests it holds then. An error means that it must
// not be sent.
func (l *limiter) enter(ctx context.Context) (ours int, err error) {
	for {
		ours, free, err := l.tryEnter(time.Now())
		if err != nil || ours > 0 {
			return ours, err
		}
		if err := sleepUntil(ctx, free); err != nil {
			return 0, err
		}
	}
}

// tryEnter counts the request as sent, or returns when there may be room for it.
func (l *limiter) tryEnter(now time.Time) (ours int, free time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refusal(now); err != nil {
		return 0, now, err
	}
	for len(l.sent) > 0 && now.Sub(l.sent[0]) >= window+guard {
		l.sent = l.sent[1:]
	}
	if over := len(l.sent) - l.share(); over >= 0 {
		return 0, l.sent[over].Add(window + guard), nil
	}
	l.sent = append(l.sent, now)
	return len(l.sent), now, nil
}

// refusal returns why nothing is sent now, with the time that is left, or nil.
func (l *limiter) refusal(now time.Time) error {
	left := l.blocked.Sub(now)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: l.why}
}

// block stops all requests for a time: one was refused because of a limit, and
// those that come after it would be as well, or get the key banned.
func (l *limiter) block(d time.Duration, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.blocked) {
		l.blocked, l.why = until, why
	}
}

// learn reads the limit in an answer's headers. ours is the result of enter for its
// request: the account counted any further requests from other programs. Headers:
// Pipedrive docs, "Rate limiting"; each may be absent.
func (l *limiter) learn(ours int, h http.Header) {
	limit, exists := count(h, "x-ratelimit-limit")
	if !exists || limit == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = limit
	if remaining, exists := count(h, "x-ratelimit-remaining"); exists {
		l.others.note(limit-remaining-ours, time.Now())
	}
}

// others is the number of requests in a window from other programs with the same key.
// An answer shows the least that they sent, because some of ours may have left the
// account's window already. The highest number of the last two windows counts.
type others struct {
	present, past int
	since         time.Time
}

func (o *others) most() int { return max(o.present, o.past) }

func (o *others) note(n int, now time.Time) {
	if now.Sub(o.since) >= window {
		o.past, o.present, o.since = o.present, 0, now
	}
	o.present = max(o.present, n)
}

// count reads a header that counts something; it is not found if it doesn't.
func count(h http.Header, name string) (n int, exists bool) {
	n, err := strconv.Atoi(h.Get(name))
	return n, err == nil && n >= 0
}

// sleepUntil returns nil at that time, or ctx's error as soon as it ends.
func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
