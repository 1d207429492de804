package sim

import (
	"context"
	"time"
)

// travel waits until a request to Pipedrive arrives, so that requests overtake each other
// if Options.Jitter is set. A request arrives even if its client has disconnected.
func (s *Sim) travel(c *call) {
	if c.route.remote != s.pipedrive {
		return
	}
	s.mu.Lock()
	delay := time.Duration(0)
	if s.o.Jitter > 0 {
		delay = time.Duration(s.jitter.Int64N(int64(s.o.Jitter) + 1))
	}
	s.mu.Unlock()
	s.wait(context.WithoutCancel(c.Context()), delay)
}
