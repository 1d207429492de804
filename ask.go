package gistdeal

import "time"

// Want is how much an ask wants done before it counts as answered.
type Want int

const (
	// WantTracked wants the user tracked; its first scan comes with the sweep.
	WantTracked Want = iota
	// WantFirstScan wants the user tracked and scanned at least once: somebody waits.
	WantFirstScan
	// WantScan wants a scan now, however lately there was one: somebody waits.
	WantScan
)

// Ask is somebody's wish that the user with a login be tracked or scanned. Any
// process may ask; the one that works answers, now or after its next start.
type Ask struct {
	Login  string
	Policy FirstScan // of a user whose first scan has not ended; "" means the one that it has
	// Otherwise is the policy, without a Policy, of a user who is neither tracked
	// nor asked for yet; "" means the configured one.
	Otherwise FirstScan
	Want      Want
	N         int64 // tells apart the asks about one login, from 1; 0 before it is stored
}

// Answer is what became of an ask.
type Answer struct {
	Added bool  // the user was not tracked before
	Err   error // why the ask was refused, with its kind; nil if it was not
}

// Pause says that an operator has paused all pushes; the zero value, that nobody has.
type Pause struct {
	Since time.Time `json:"since,omitzero"`
	Why   string    `json:"reason"` // as the operator worded it; may be ""
}

// On reports whether there is a pause.
func (p Pause) On() bool { return !p.Since.IsZero() }

// String says in words since when and why.
func (p Pause) String() string {
	words := "paused by a person since " + p.Since.UTC().Format(time.RFC3339)
	if p.Why != "" {
		words += ": " + p.Why
	}
	return words
}
