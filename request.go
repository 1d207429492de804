package gistdeal

import "time"

// RequestKind is the result that a scan request waits for.
type RequestKind int

const (
	// RequestTrack waits until the user is tracked; its first scan comes with the sweep.
	RequestTrack RequestKind = iota
	// RequestFirstScan waits for the first scan of the user. It is interactive.
	RequestFirstScan
	// RequestScanNow waits for a new scan, however recent the last one is. It is interactive.
	RequestScanNow
)

// ScanRequest is a request to track or scan the user with a login. Any process may
// store it; the leader serves it, now or after its next start.
type ScanRequest struct {
	Login    string
	Backfill Backfill // of a user without a complete first scan; "" keeps its policy
	// DefaultBackfill is the policy, without a Backfill, of a user that is neither tracked
	// nor requested yet; "" means the configured one.
	DefaultBackfill Backfill
	Kind            RequestKind
	Number          int64 // tells apart the asks about one login, from 1; 0 before it is stored
}

// RequestResult is the result of a scan request.
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
