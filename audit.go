package gistdeal

import "time"

// AuditOrder is what somebody wants of an audit.
type AuditOrder struct {
	ID            string // of the audit, chosen by who asks
	Repair        bool   // mend what can be mended without making or deleting a deal
	Recreate      string // id of a gist whose deal is gone from Pipedrive and is to be made again
	DeleteSurplus int64  // id of a second deal of a gist, to be deleted in Pipedrive
	AskedAt       time.Time
}

// Audit is what an audit found and did.
type Audit struct {
	ID          string           `json:"id"`
	AskedAt     time.Time        `json:"asked_at"`
	EndedAt     time.Time        `json:"ended_at,omitzero"` // zero while it waits or goes on
	Problem     string           `json:"problem,omitempty"` // why it came to nothing
	Gists       int              `json:"gists"`             // rows of ours that were compared
	Deals       int              `json:"deals"`             // deals of gists in Pipedrive, deleted ones too
	Counts      map[DiffKind]int `json:"counts"`            // of all differences
	Differences []Difference     `json:"differences"`       // the first MaxDifferences
}

// Different returns how many differences were found, kept or not.
func (a Audit) Different() (n int) {
	for _, count := range a.Counts {
		n += count
	}
	return n
}

// MaxDifferences is how many differences an audit keeps; it counts all.
const MaxDifferences = 10_000

// DiffKind is a way in which our rows, Pipedrive and GitHub differ.
type DiffKind string

const (
	// DiffMissing is a deal that we have made and that Pipedrive no longer has,
	// or that the key's user cannot see.
	DiffMissing DiffKind = "missing"
	// DiffDoubled is a gist with more than one deal.
	DiffDoubled DiffKind = "doubled"
	// DiffDeleted is a deal that a person deleted, less than 30 days ago.
	DiffDeleted DiffKind = "deleted"
	// DiffArchived is a deal that a person archived.
	DiffArchived DiffKind = "archived"
	// DiffGistGone is a gist that GitHub no longer lists.
	DiffGistGone DiffKind = "gist gone"
	// DiffForeign is a deal of a gist of ours that somebody else made: a person,
	// another database, or the system before gistdeal.
	DiffForeign DiffKind = "foreign"
	// DiffUnlinked is a gist that has a deal in Pipedrive of which its row does not know.
	DiffUnlinked DiffKind = "unlinked"
	// DiffNeverMade is a gist whose deal was refused, or that has no row of a deal.
	DiffNeverMade DiffKind = "never made"
)

// Difference is one that an audit found.
type Difference struct {
	Kind     DiffKind `json:"kind"`
	GistID   string   `json:"gist_id"`
	Login    string   `json:"login,omitempty"`
	DealID   int64    `json:"deal_id,omitempty"` // the gist's one
	Others   []int64  `json:"others,omitempty"`  // further deals of the gist
	Repair   string   `json:"repair,omitempty"`  // what a repair does about it; "" for nothing
	Repaired bool     `json:"repaired,omitempty"`
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
