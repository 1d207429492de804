package github

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"gistdeal"
)

// Limits of GraphQL queries. GitHub allows 60 seconds of processing in a minute and advises
// to measure it by the response time; after 10 seconds it gives a query up (GitHub docs,
// "Rate limits and query limits for the GraphQL API").
const (
	queriesInFlight = 2
	busyPerMinute   = 45 * time.Second
	slowQuery       = 5 * time.Second

	minBatch  = 25 // users in a query
	maxBatch  = 100
	growBatch = 25 // after growAfter queries of a size
)

// QuotaGraphQL is the name of GitHub's quota of points per hour for GraphQL queries.
const QuotaGraphQL = "github-graphql-hour"

// pool keeps the GraphQL queries of a token within their limits, which are apart from those
// of other requests.
type pool struct {
	slots chan struct{}

	mu      sync.Mutex
	quota   gistdeal.Quota
	until   time.Time // no query is sent before
	reason  error
	size    int // of the next batch
	ofSize  int // queries of this size
	sent    int // queries in flight
	average time.Duration
	busy    []busyTime // of the last minute
}

// busyTime is a query that ended.
type busyTime struct {
	end  time.Time
	took time.Duration
}

func newPool() *pool {
	return &pool{slots: make(chan struct{}, queriesInFlight), quota: gistdeal.Quota{Name: QuotaGraphQL}, size: maxBatch}
}

// forget forgets the limits of a token, because another one takes its place.
func (p *pool) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until, p.quota = time.Time{}, gistdeal.Quota{Name: QuotaGraphQL}
}

func (p *pool) state() gistdeal.Quota {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.quota
}

// seconds returns the time of a query, on average; 0 before the first one.
func (p *pool) seconds() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.average
}

// batch returns how many users the next query may have.
func (p *pool) batch() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// ready returns a Limited error if no query may be sent now, or only those that somebody
// waits for.
func (p *pool) ready() error {
	if err := p.blocked(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(p.quota.Reset)
	if p.quota.Limit == 0 || p.quota.Remaining > p.quota.Reserved || left <= 0 {
		return nil
	}
	return newError(gistdeal.Limited, left, "the last %d of the %d points that GitHub allows this hour are reserved", p.quota.Reserved, p.quota.Limit)
}

func (p *pool) blocked() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := time.Until(p.until)
	if left <= 0 {
		return nil
	}
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: left, Err: p.reason}
}

// acquire waits until a query may be sent. The caller releases p after the answer.
func (p *pool) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return gistdeal.Errorf(gistdeal.Temporary, "%w", ctx.Err())
	}
	err := p.blocked()
	for err == nil {
		wait := p.wait(time.Now())
		if wait == 0 {
			return nil
		}
		select {
		case <-time.After(wait):
			err = p.blocked()
		case <-ctx.Done():
			err = gistdeal.Errorf(gistdeal.Temporary, "%w", ctx.Err())
		}
	}
	<-p.slots
	return err
}

// wait returns how long the next query has to wait for the processing time of the last
// minute. If that is 0, it counts the query as sent.
func (p *pool) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.busy) > 0 && now.Sub(p.busy[0].end) >= time.Minute {
		p.busy = p.busy[1:]
	}
	total := time.Duration(p.sent) * p.average
	for _, b := range p.busy {
		total += b.took
	}
	if total < busyPerMinute {
		p.sent++
		return 0
	}
	if len(p.busy) == 0 {
		return time.Second
	}
	return max(time.Millisecond, p.busy[0].end.Add(time.Minute).Sub(now))
}

// release records a query of n users that took that long. tooLarge means that GitHub could
// not return as many.
func (p *pool) release(took time.Duration, n int, tooLarge bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent--
	p.busy = append(p.busy, busyTime{time.Now(), took})
	if p.average == 0 {
		p.average = took
	}
	p.average += (took - p.average) / 5
	<-p.slots
	switch {
	case tooLarge || took > slowQuery:
		p.size, p.ofSize = max(minBatch, min(p.size, n)/2), 0
	case n == p.size:
		if p.ofSize++; p.ofSize >= growAfter {
			p.size, p.ofSize = min(p.size+growBatch, maxBatch), 0
		}
	}
}

// record records the quota in the headers of an answer.
func (p *pool) record(a answer) {
	limit, err1 := strconv.Atoi(a.header.Get("X-RateLimit-Limit"))
	remaining, err2 := strconv.Atoi(a.header.Get("X-RateLimit-Remaining"))
	left := a.untilReset()
	if err1 != nil || err2 != nil || left == 0 || limit <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.quota = gistdeal.Quota{Name: QuotaGraphQL, Limit: limit, Remaining: remaining, Reserved: Reserved(limit), Reset: now.Add(left), SeenAt: now}
}

// spent blocks all queries until the points are available again, and returns the error.
func (p *pool) spent(a answer, message string) error {
	wait := a.untilReset()
	if wait == 0 {
		wait = defaultWait
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Now().Add(wait)
	p.reason = fmt.Errorf("the points for GraphQL queries that GitHub allows this hour are spent: %q", truncate(message))
	return &gistdeal.Error{Kind: gistdeal.Limited, RetryAfter: wait, Err: p.reason}
}
