package gistdeal

import "time"

// RequestKind is how much an ask wants done before it counts as answered.
type RequestKind int

const (
	// RequestTrack wants the user tracked; its first scan comes with the sweep.
	RequestTrack RequestKind = iota
	// RequestFirstScan wants the user tracked and scanned at least once: somebody waits.
	RequestFirstScan
	// RequestScanNow wants a scan now, however lately there was one: somebody waits.
	RequestScanNow
)

// ScanRequest is somebody's wish that the user with a login be tracked or scanned. Any
// process may ask; the one that works answers, now or after its next start.
type ScanRequest struct {
	Login    string
	Backfill Backfill // of a user whose first scan has not ended; "" means the one that it has
	// DefaultBackfill is the policy, without a Policy, of a user who is neither tracked
	// nor asked for yet; "" means the configured one.
	DefaultBackfill Backfill
	Kind            RequestKind
	Number          int64 // tells apart the asks about one login, from 1; 0 before it is stored
}

// RequestResult is what became of an ask.
type RequestResult struct {
	Added bool  // the user was not tracked before
	Err   error // why the ask was refused, with its kind; nil if it was not
}

// Pause says that an operator has paused all pushes; the zero value, that nobody has.
type Pause struct {
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason"` // as the operator worded it; may be ""
}

// On reports whether there is a pause.
func (p Pause) On() bool { return !p.Since.IsZero() }

// String says in words since when and why.
func (p Pause) String() string {
	words := "paused by a person since " + p.Since.UTC().Format(time.RFC3339)
	if p.Reason != "" {
		words += ": " + p.Reason
	}
	return words
}
