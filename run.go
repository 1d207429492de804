package gistdeal

import "time"

// RunKind says what a run does.
type RunKind string

const (
	// RunScan reads one user's gists. Of scans that nobody waits for, only those
	// are kept that found something, failed, or took more than a second.
	RunScan RunKind = "scan"
	// RunSweep scans the users that are due, until none is.
	RunSweep RunKind = "sweep"
	// RunPush makes deals, until none waits or Pipedrive refuses all of them.
	RunPush RunKind = "push"
)

// RunKinds lists all kinds.
var RunKinds = []RunKind{RunScan, RunSweep, RunPush}

// Run is a piece of work with what it found and cost.
type Run struct {
	ID     int64 // in the order in which runs were first written down
	Kind   RunKind
	UserID int64  // of a scan
	Login  string // of a scan; "" if its user is not known any more
	Begun  time.Time
	Noted  time.Time // when its numbers were written down last
	Ended  time.Time // zero while it goes on
	// Done of Total pages are read, users scanned or deals tried. Total is 0
	// where nobody knows it.
	Total, Done int
	Gists       int    // that were found
	Deals       int    // that were made, or found to be made
	Failed      int    // scans that ended badly, or deals that were refused
	Requests    int    // to GitHub by scans and sweeps, to Pipedrive by pushes
	Tokens      int    // of Pipedrive's day
	Problem     string // why it ended badly, in words for people
}

// RunFilter says which runs are meant; the zero value means all.
type RunFilter struct {
	Kinds  []RunKind
	UserID int64
	Going  bool // only those that go on
}
