package loop

import (
	"sync"
	"time"

	"gistdeal"
)

// Outage notes whether a remote answers, and since when it does not. The zero value is ready,
// and may be used from many goroutines.
type Outage struct {
	mu    sync.Mutex
	since time.Time // zero while the remote answers
	cause string
}

// Failed notes that a request had no answer, or one that tells of a fault of the remote.
func (o *Outage) Failed(cause string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = time.Now()
	}
	o.cause = cause
}

// Answered notes that a request was answered, even if it was refused.
func (o *Outage) Answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since, o.cause = time.Time{}, ""
}

// Of returns the outages of a remote: one if its last request failed, else none.
func (o *Outage) Of(remote string) []gistdeal.Outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return nil
	}
	return []gistdeal.Outage{{Remote: remote, Since: o.since, Reason: o.cause}}
}
