package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"gistdeal"
)

const (
	// FirstDelay is how long the first delay after a refusal takes if the remote
	// names no time. Each further one in a row is twice as long.
	FirstDelay = time.Second
	// MaxDelay is the longest such delay if failures cost nothing.
	MaxDelay = time.Minute
	// maxCostlyDelay is the longest such delay if failures cost a part of a daily quota,
	// unless they cost so much that the next one must wait longer.
	maxCostlyDelay = time.Hour
)

// Delay returns how long to wait after that many failures in a row.
func Delay(failures int) time.Duration { return delayUpTo(MaxDelay, failures) }

// CostlyDelay returns how long to wait after that many failures in a row, of which the
// last one cost a share of the day's quota. The delays grow faster if failures cost more,
// so that the longest one is reached while the allowance lasts.
func CostlyDelay(failures int, share float64) time.Duration {
	if share == 0 {
		return Delay(failures)
	}
	return delayUpTo(maxCostlyDelay, failures*int(math.Ceil(share/costADoubling)))
}

func delayUpTo(longest time.Duration, failures int) time.Duration {
	return min(FirstDelay<<min(failures, 20), longest)
}

// Backoff holds back the work with one remote while the remote refuses
// everything. Each refusal in a row makes the delay longer; the first success of
// the stage that was refused ends it. The log gets one line at the begin and one
// at the end. It may be used from many goroutines.
type Backoff struct {
	remote  string
	log     *slog.Logger
	changed Signal

	mu       sync.Mutex
	stage    string // that was refused; "" while there is no backoff
	kind     gistdeal.Kind
	spent    bool // a quota is spent, as opposed to too many requests at once
	newKey   bool // another API key is needed
	reason   string
	failures int
	until    time.Time

	allowance Allowance     // of failed tries
	cost      float64       // of the last failed try
	unpaid    time.Duration // delay that its cost requires
}

// NewBackoff returns a backoff for the named remote. It sets changed whenever a
// backoff begins or ends.
func NewBackoff(remote string, log *slog.Logger, changed Signal) *Backoff {
	return &Backoff{remote: remote, log: log, changed: changed}
}

// Begin begins or prolongs the backoff, because err from stage says that more
// requests are pointless.
func (b *Backoff) Begin(stage string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delay := gistdeal.RetryAfter(err)
	if delay == 0 {
		delay = CostlyDelay(b.failures, b.cost)
	}
	delay = max(delay, b.unpaid)
	b.cost, b.unpaid = 0, 0
	b.failures++
	b.until = time.Now().Add(delay)
	kind, spent, reason := gistdeal.KindOf(err), errors.Is(err, gistdeal.ErrQuotaSpent), Reason(err)
	if b.stage == "" || b.kind != kind || b.spent != spent {
		b.log.Warn("backoff started", "remote", b.remote, "kind", kind.String(), "spent", spent, "reason", reason, "retry_in", delay.String())
	}
	b.stage, b.kind, b.spent, b.newKey, b.reason = stage, kind, spent, errors.Is(err, gistdeal.ErrKeyRefused), reason
	b.changed.Set()
}

// Charge records what the failed try cost that the next Begin is about, as a share of the
// day's quota. All tries of a day that fail again cost less than 1 % of the quota.
func (b *Backoff) Charge(share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stage == "" || share == 0 {
		return // The first try was worth its cost.
	}
	b.cost, b.unpaid = share, b.allowance.Charge(share)
}

// TryNow ends the delay because an operator has changed something. A remote's limit does
// not end that way: more requests would prolong it.
func (b *Backoff) TryNow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stage != "" && b.kind != gistdeal.Limited {
		b.until = time.Now()
	}
}

// Reason returns the text of the remote's client, without the gist or user that
// the request was for: a backoff concerns all of them.
func Reason(err error) string {
	if e, ok := errors.AsType[*gistdeal.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

// Succeeded ends a backoff that stage began. A success before the delay is over
// belongs to a request sent before the backoff, and says nothing about the next.
func (b *Backoff) Succeeded(stage string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stage == stage && b.over() {
		b.end()
	}
}

// Idle ends a backoff whose delay is over when there is nothing left to try: a
// refusal that passes by itself has passed as far as anybody can tell.
func (b *Backoff) Idle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kind != gistdeal.Unauthorized && b.over() {
		b.end()
	}
}

// Clear ends a backoff that an error of that kind began, because everything
// about that error is known by now.
func (b *Backoff) Clear(kind gistdeal.Kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stage != "" && b.kind == kind {
		b.end()
	}
}

// over reports whether there is a backoff and its delay is over; b.mu is held.
func (b *Backoff) over() bool { return b.stage != "" && !time.Now().Before(b.until) }

// end ends the backoff; b.mu is held.
func (b *Backoff) end() {
	b.log.Info("backoff ended", "remote", b.remote, "after", b.reason)
	b.stage, b.reason, b.failures, b.until = "", "", 0, time.Time{}
	b.allowance.Refill()
	b.changed.Set()
}

// Active reports whether there is a backoff, so that the next request is a trial.
func (b *Backoff) Active() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stage != ""
}

// Wait returns true when the next trial is due, at once if there is no backoff;
// false when ctx ends.
func (b *Backoff) Wait(ctx context.Context) bool {
	for {
		left := b.Left()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !Sleep(ctx, left) {
			return false
		}
	}
}

// Left returns how long the delay still takes; it is not positive if it is over.
func (b *Backoff) Left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.until)
}

// Err returns a Limited error with the reason and the rest of the delay, or nil
// if there is no delay.
func (b *Backoff) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := time.Until(b.until)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: fmt.Errorf("%s is in backoff: %s", b.remote, b.reason)}
}

// Status returns the present backoff; the zero value means that there is none.
func (b *Backoff) Status() gistdeal.Backoff {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stage == "" {
		return gistdeal.Backoff{}
	}
	return gistdeal.Backoff{Stage: b.stage, Kind: b.kind.String(), Spent: b.spent, NewKey: b.newKey, Reason: b.reason, Until: b.until.UTC().Round(0)}
}
