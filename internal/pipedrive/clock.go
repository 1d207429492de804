package pipedrive

import (
	"net/http"
	"sync"
	"time"

	"gistdeal/internal/testing/failpoint"
)

// clock estimates the time on Pipedrive's clock from the Date of its last answer.
type clock struct {
	wall  func() time.Time     // somebody may set it
	since func() time.Duration // the time since any fixed moment; stops while the machine is suspended

	mu     sync.Mutex
	date   time.Time // of the last answer; zero before the first one
	wallAt time.Time // when it came, on both local clocks
	at     time.Duration
}

func newClock() *clock {
	begin := time.Now()
	return &clock{wall: failpoint.Now, since: func() time.Duration { return time.Since(begin) }}
}

// record records the Date of an answer that has just come.
func (c *clock) record(h http.Header) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.wallAt, c.at = date, c.wall(), c.since()
}

// now returns the time on Pipedrive's clock: the earlier one of the times by both local
// clocks, so that it is not late after one of them went wrong. Before the first answer it
// returns the local time, and known is false.
func (c *clock) now() (now time.Time, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall().Round(0)
	if c.date.IsZero() {
		return wall, false
	}
	return c.date.Add(min(c.since()-c.at, wall.Sub(c.wallAt.Round(0)))), true
}
