package gistdeal

import "time"

// Story is all that is known of one gist and its deal.
type Story struct {
	Deal      Deal
	Gist      Gist      // Seq is 0 if the gist was never read: its deal was found in Pipedrive
	User      User      // of the gist; ID is 0 if the gist was never read
	NoticedAt time.Time // when the gist was first read
	NoticedBy string    // NoticedByFirstScan or NoticedByScan; "" if that was not kept
	QueuedAt  time.Time // since when the deal has waited for its turn, if it is found
	Attempts  []Attempt // in their order
	Surplus   []Surplus // in the order of their ids
}

// How a gist was noticed.
const (
	NoticedByFirstScan = "first scan"
	NoticedByScan      = "scan"
)

// Attempt is one attempt at a deal.
type Attempt struct {
	N        int
	Owner    string // the process that made it
	SentAt   time.Time
	RemoteAt time.Time // SentAt on Pipedrive's clock
	EndedAt  time.Time // zero while its outcome is not known
	// Outcome is "made", "refused", "not sent", "adopted" (a look found the deal),
	// "absent" (enough looks did not), or "" while it is not known.
	Outcome string
	DealID  int64  // Pipedrive's, 0 if there is none
	Looks   int    // complete looks that the outcome took
	Reason  string // in Pipedrive's words
}

// Surplus is a deal in Pipedrive beyond the one of its gist.
type Surplus struct {
	DealID    int64
	GistID    string
	Login     string // "" if the gist was never read
	NoticedAt time.Time
}
