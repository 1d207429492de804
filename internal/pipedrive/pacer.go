package pipedrive

import (
	"context"
	"sync"
	"time"
)

// margin is the share of the allowed rate that is used. Requests are jittered
// on their way: a window in which we sent 20 may hold 21 where they are counted.
const margin = 0.95

// pacer lets one request start per interval. Time that went by unused is not
// made up for, as it is with a token bucket: that would be a small burst.
type pacer struct {
	interval time.Duration

	mu   sync.Mutex
	next time.Time // when the next request may start
}

// wait returns nil when a request may start, or ctx's error.
func (p *pacer) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // and takes nobody's turn
	}
	p.mu.Lock()
	now := time.Now()
	start := p.next
	if start.Before(now) {
		start = now
	}
	p.next = start.Add(p.interval)
	p.mu.Unlock()
	timer := time.NewTimer(start.Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
