package gistdeal

import "time"

// RequestKind is the condition that completes a scan request.
type RequestKind int

const (
	// RequestTrack is complete when the user is tracked. A sweep does the first scan. It is
	// background work.
	RequestTrack RequestKind = iota
	// RequestTrackNow is the same, but interactive.
	RequestTrackNow
	// RequestFirstScan is complete when the user was scanned at least once. It is
	// interactive.
	RequestFirstScan
	// RequestScanNow is complete after a new scan, however recent the last one is. It is
	// interactive.
	RequestScanNow
)

// ScanRequest is a request to track or scan the user with a login. Any process may
// store one. The leader carries it out, at once or after its next start.
type ScanRequest struct {
	Login    string
	Backfill Backfill // policy of a user without a complete first scan; "" keeps its policy, or means the configured one for a new user
	Tags     string   // with spaces between; the user gets them before rules decide about its gists
	Kind     RequestKind
	Number   int64 // distinguishes the requests for one login, from 1; 0 before it is stored
}

// PendingRequest is a scan request that has no result yet.
type PendingRequest struct {
	Login       string    `json:"login"`
	RequestedAt time.Time `json:"requested_at"`
	Problem     string    `json:"problem,omitempty" doc:"Why it is still pending, if it was tried."`
}

// RequestResult is the result of a scan request.
type RequestResult struct {
	Added bool  // the user was not tracked before
	Err   error // why the request was refused; nil if it succeeded
}

// Pause is an operator's pause of all pushes, and of scans with Scans. The zero value means that there is none.
type Pause struct {
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason"` // the operator's note; may be ""
	By     string    `json:"by,omitempty" doc:"The name of the token or person that paused; left out without a token."`
	Scans  bool      `json:"scans,omitempty" doc:"Whether scans are paused too, and the reading of the feed. Scans that somebody requests still run."`
}

// On reports whether there is a pause.
func (p Pause) On() bool { return !p.Since.IsZero() }

// String returns the start and the reason of the pause.
func (p Pause) String() string {
	text := "paused by an operator since " + p.Since.UTC().Format(time.RFC3339)
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}
