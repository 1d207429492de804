package loop

import (
	"sync"
	"time"
)

// What failed tries may cost, as shares of a daily quota. With the last try, that is less
// than 1 % in any day.
const (
	costAtOnce = 0.0035
	costADay   = 0.0042
	// costADoubling is the cost of failures for which the delay doubles each time: with
	// 10 of these at once, an hour is reached.
	costADoubling = costAtOnce / 10
)

// Allowance bounds what failed tries cost. The zero value is a full one. It may be used
// from many goroutines.
type Allowance struct {
	mu   sync.Mutex
	debt float64 // cost beyond what the time allowed; negative while some is left
	at   time.Time
}

// Charge records the cost of a failed try, as a share of the day's quota, and returns how
// long to wait before the next one.
func (a *Allowance) Charge(share float64) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.debt = max(a.debt-costADay*now.Sub(a.at).Hours()/24, -costAtOnce) + share
	a.at = now
	return max(0, time.Duration(a.debt/costADay*24*float64(time.Hour)))
}

// Refill allows the full cost again, because a try has succeeded.
func (a *Allowance) Refill() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.debt, a.at = 0, time.Time{}
}
