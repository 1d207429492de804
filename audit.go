package gistdeal

import "time"

// AuditRequest is a request for an audit. With Recreate or DeleteDuplicate set, only
// that action is carried out and nothing is compared.
type AuditRequest struct {
	ID              string // of the audit, chosen by the requester
	Archived        bool   // list all archived deals instead of those that changed
	Repair          bool   // repair discrepancies without creating or deleting deals
	Recreate        string // id of a gist; its deal is gone from Pipedrive and is created again
	DeleteDuplicate int64  // id of the duplicate deal to delete in Pipedrive
	Nightly         bool   // not requested by anybody, so the audit log has no entry of it
	RequestedAt     time.Time
}

// Audit is the report of an audit.
type Audit struct {
	ID            string                  `json:"id"`
	RequestedAt   time.Time               `json:"requested_at"`
	EndedAt       time.Time               `json:"ended_at,omitzero" doc:"Left out until the audit ends."`
	Problem       string                  `json:"problem,omitempty" doc:"Why the audit failed; left out if it did not."`
	Gists         int                     `json:"gists" doc:"The number of compared rows of the database."`
	Deals         int                     `json:"deals" doc:"The number of deals of gists in Pipedrive, including deleted ones."`
	Counts        map[DiscrepancyKind]int `json:"counts" doc:"The number of discrepancies of each kind, including those not listed."`
	Discrepancies []Discrepancy           `json:"discrepancies" doc:"Up to 10,000 discrepancies, those with a repair first."`
}

// Different returns the number of discrepancies, including those not listed.
func (a Audit) Different() (n int) {
	for _, count := range a.Counts {
		n += count
	}
	return n
}

// MaxDiscrepancies is the number of discrepancies that an audit lists. It counts all.
const MaxDiscrepancies = 10_000

// DiscrepancyKind is a way in which the database, Pipedrive and GitHub differ.
type DiscrepancyKind string

const (
	// DiscrepancyMissing is a created deal that Pipedrive no longer has, or that no longer
	// names its gist although another deal does.
	DiscrepancyMissing DiscrepancyKind = "missing"
	// DiscrepancyHidden is a created deal that the key's user may not see.
	DiscrepancyHidden DiscrepancyKind = "hidden"
	// DiscrepancyDuplicate is a gist with a living deal and others beside it.
	DiscrepancyDuplicate DiscrepancyKind = "duplicate"
	// DiscrepancyDeleted is a deal that a person deleted less than 30 days ago.
	DiscrepancyDeleted DiscrepancyKind = "deleted"
	// DiscrepancyArchived is a deal that a person archived.
	DiscrepancyArchived DiscrepancyKind = "archived"
	// DiscrepancyGistGone is a gist that GitHub no longer lists.
	DiscrepancyGistGone DiscrepancyKind = "gist_gone"
	// DiscrepancyForeign is a deal of a known gist that this database did not create: a
	// person, another database or the system before gistdeal did.
	DiscrepancyForeign DiscrepancyKind = "foreign"
	// DiscrepancyUnlinked is a gist with a deal in Pipedrive that its row does not have.
	DiscrepancyUnlinked DiscrepancyKind = "unlinked"
	// DiscrepancyNeverCreated is a gist with a refused deal, or without a deal row.
	DiscrepancyNeverCreated DiscrepancyKind = "never_created"
)

// Discrepancy is one difference that an audit reports.
type Discrepancy struct {
	Kind     DiscrepancyKind `json:"kind" enum:"missing,hidden,duplicate,deleted,archived,gist_gone,foreign,unlinked,never_created"`
	GistID   string          `json:"gist_id"`
	Login    string          `json:"login,omitempty"`
	State    DealState       `json:"state,omitempty" enum:"awaiting_approval,queued,sending,created,failed,skipped" doc:"The state of the gist's row; left out if it has none."`
	DealID   int64           `json:"deal_id,omitempty" doc:"The deal of the gist."`
	Others   []int64         `json:"others,omitempty" doc:"Other living deals of the gist."`
	Repair   string          `json:"repair,omitempty" doc:"The possible repair; left out for none."`
	Repaired bool            `json:"repaired,omitempty"`
}

// AuditRow is a gist and its deal as an audit compares them.
type AuditRow struct {
	GistID string
	Login  string
	State  DealState // "" if the gist has no deal row
	DealID int64
	Ours   bool // an attempt of this database created or adopted the deal
	Gone   bool // GitHub no longer lists the gist
}
