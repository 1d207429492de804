package gistdeal

import "time"

// RunKind is the kind of work of a run.
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

// Run is the record of one sweep, scan or push batch, with its results and cost.
type Run struct {
	ID        int64     `json:"id"` // in the order in which runs were first recorded
	Kind      RunKind   `json:"kind" enum:"scan,sweep,push" doc:"scan: the gists of one user (of background scans, only those that found something, failed or took long). sweep: all users that were due. push: deals, until none was queued."`
	UserID    int64     `json:"-"` // of a scan
	Login     string    `json:"login,omitempty" doc:"Of a scan; left out if its user is not known any more."`
	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at" doc:"When these numbers were recorded."`
	Ended     time.Time `json:"ended_at,omitzero" doc:"Left out while the run is in progress."`
	Total     int       `json:"total" doc:"Pages, users or deals in all; 0 if that is not known."`
	Done      int       `json:"done" doc:"Pages read, users scanned, or deals tried."`
	Gists     int       `json:"gists" doc:"Gists noticed."`
	Deals     int       `json:"deals" doc:"Deals created or adopted."`
	Failed    int       `json:"failed" doc:"Scans that failed, or deals that were refused."`
	Requests  int       `json:"requests" doc:"To GitHub by scans and sweeps, to Pipedrive by pushes."`
	Tokens    int       `json:"tokens" doc:"Of Pipedrive's daily quota."`
	Problem   string    `json:"problem,omitempty" doc:"Why it failed."`
}

// RunFilter says which runs are meant; the zero value means all.
type RunFilter struct {
	Kinds      []RunKind
	UserID     int64
	InProgress bool // only those that go on
}
