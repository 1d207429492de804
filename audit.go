package gistdeal

import "time"

// AuditRequest is a request for an audit, with an optional action.
type AuditRequest struct {
	ID              string // of the audit, chosen by the requester
	Repair          bool   // repair discrepancies without creating or deleting deals
	Recreate        string // id of a gist with a deal to recreate, which is deleted in Pipedrive
	DeleteDuplicate int64  // id of a second deal of a gist, to be deleted in Pipedrive
	RequestedAt     time.Time
}

// Audit is the report of an audit.
type Audit struct {
	ID            string                  `json:"id"`
	RequestedAt   time.Time               `json:"requested_at"`
	EndedAt       time.Time               `json:"ended_at,omitzero"` // zero while it waits or goes on
	Problem       string                  `json:"problem,omitempty"` // why it came to nothing
	Gists         int                     `json:"gists"`             // rows of ours that were compared
	Deals         int                     `json:"deals"`             // deals of gists in Pipedrive, deleted ones too
	Counts        map[DiscrepancyKind]int `json:"counts"`            // of all differences
	Discrepancies []Discrepancy           `json:"discrepancies"`     // the first MaxDiscrepancies
}

// Different returns how many differences were found, kept or not.
func (a Audit) Different() (n int) {
	for _, count := range a.Counts {
		n += count
	}
	return n
}

// MaxDiscrepancies is how many differences an audit keeps; it counts all.
const MaxDiscrepancies = 10_000

// DiscrepancyKind is a way in which our rows, Pipedrive and GitHub differ.
type DiscrepancyKind string

const (
	// DiscrepancyMissing is a deal that we have made and that Pipedrive no longer has,
	// or that the key's user cannot see.
	DiscrepancyMissing DiscrepancyKind = "missing"
	// DiscrepancyDuplicate is a gist with more than one deal.
	DiscrepancyDuplicate DiscrepancyKind = "duplicate"
	// DiscrepancyDeleted is a deal that a person deleted, less than 30 days ago.
	DiscrepancyDeleted DiscrepancyKind = "deleted"
	// DiscrepancyArchived is a deal that a person archived.
	DiscrepancyArchived DiscrepancyKind = "archived"
	// DiscrepancyGistGone is a gist that GitHub no longer lists.
	DiscrepancyGistGone DiscrepancyKind = "gist_gone"
	// DiscrepancyForeign is a deal of a gist of ours that somebody else made: a person,
	// another database, or the system before gistdeal.
	DiscrepancyForeign DiscrepancyKind = "foreign"
	// DiscrepancyUnlinked is a gist that has a deal in Pipedrive of which its row does not know.
	DiscrepancyUnlinked DiscrepancyKind = "unlinked"
	// DiscrepancyNeverCreated is a gist with a refused deal, or without a deal row.
	DiscrepancyNeverCreated DiscrepancyKind = "never_created"
)

// Discrepancy is one that an audit found.
type Discrepancy struct {
	Kind     DiscrepancyKind `json:"kind"`
	GistID   string          `json:"gist_id"`
	Login    string          `json:"login,omitempty"`
	DealID   int64           `json:"deal_id,omitempty"` // the gist's one
	Others   []int64         `json:"others,omitempty"`  // further deals of the gist
	Repair   string          `json:"repair,omitempty"`  // the possible repair; "" for none
	Repaired bool            `json:"repaired,omitempty"`
}

// AuditRow is a gist and its deal as an audit compares them.
type AuditRow struct {
	GistID string
	Login  string
	State  DealState // "" if the gist has no row of a deal
	DealID int64
	Ours   bool // an attempt of this database made or found the deal
	Gone   bool // GitHub no longer lists the gist
}
