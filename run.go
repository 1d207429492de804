package gistdeal

import "time"

// RunKind is the kind of work of a run.
type RunKind string

const (
	// RunScan reads one user's gists. A background scan is recorded only if it found new
	// gists, failed, took more than a second, or was the user's first.
	RunScan RunKind = "scan"
	// RunSweep scans the users that are due, until none is.
	RunSweep RunKind = "sweep"
	// RunPush creates deals, until none is queued or Pipedrive refuses all of them.
	RunPush RunKind = "push"
)

// RunKinds lists all kinds.
var RunKinds = []RunKind{RunScan, RunSweep, RunPush}

// Run is the record of one sweep, scan or push batch, with its results and cost.
type Run struct {
	ID        int64     `json:"id"` // increases in the order in which runs are first recorded
	Kind      RunKind   `json:"kind" enum:"scan,sweep,push" doc:"A scan reads one user's gists; a background scan is listed only if it found new gists, failed, took more than a second, or was the user's first. A sweep scans all users that are due. A push creates the queued deals."`
	UserID    int64     `json:"-"` // of a scan; 0 for other kinds
	Login     string    `json:"login,omitempty" doc:"The user of a scan; left out if the user is no longer known."`
	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at" doc:"When these numbers were recorded."`
	Ended     time.Time `json:"ended_at,omitzero" doc:"Left out while the run is in progress."`
	Total     int       `json:"total" doc:"The number of all pages, users or deals of the run; 0 if unknown."`
	Done      int       `json:"done" doc:"The number of pages read, users scanned or deals tried."`
	Gists     int       `json:"gists" doc:"The number of new gists."`
	Deals     int       `json:"deals" doc:"The number of deals created or adopted."`
	Failed    int       `json:"failed" doc:"The number of failed scans or refused deals."`
	Requests  int       `json:"requests" doc:"The number of requests to GitHub (scan, sweep) or Pipedrive (push)."`
	Tokens    int       `json:"tokens" doc:"The number of tokens used from Pipedrive's daily quota."`
	Problem   string    `json:"problem,omitempty" doc:"Why the run failed; left out if it did not."`
}

// RunFilter selects runs. The zero value selects all.
type RunFilter struct {
	Kinds      []RunKind
	UserID     int64 // only scans of this user; 0 selects all runs
	InProgress bool  // only runs in progress
}
