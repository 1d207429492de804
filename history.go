package gistdeal

import "time"

// History is the history of a gist: everything known about it and its deal.
type History struct {
	Deal
	Gist       Gist            `json:"gist,omitzero" doc:"Left out if the gist was never read: its deal was found in Pipedrive."`
	User       User            `json:"user,omitzero" doc:"The gist's user; left out if the gist was never read."`
	NoticedAt  time.Time       `json:"noticed_at,omitzero" doc:"When the gist was first read."`
	NoticedBy  string          `json:"noticed_by"` // NoticedByFirstScan or NoticedByScan; "" if that is not known
	QueuedAt   time.Time       `json:"queued_at,omitzero" doc:"Since when the deal is queued; left out in other states."`
	Attempts   []Attempt       `json:"attempts" doc:"In their order."`
	Duplicates []DuplicateDeal `json:"duplicates" doc:"Further deals of the gist in Pipedrive, by id."`
}

// How a gist was noticed.
const (
	NoticedByFirstScan = "first scan"
	NoticedByScan      = "scan"
)

// Attempt is one attempt at a deal.
type Attempt struct {
	N        int       `json:"n"`
	Owner    string    `json:"-"` // the process that made it
	SentAt   time.Time `json:"sent_at,omitzero"`
	RemoteAt time.Time `json:"-"` // SentAt on Pipedrive's clock
	EndedAt  time.Time `json:"ended_at,omitzero" doc:"Left out while the outcome is not known."`
	Outcome  string    `json:"outcome" doc:"made, refused, not sent, adopted (a lookup found the deal), absent (enough lookups did not), or empty while it is not known."`
	DealID   int64     `json:"deal_id" doc:"Pipedrive's number of the deal; 0 if there is none."`
	Lookups  int       `json:"lookups" doc:"Complete lookups that it took to decide the outcome."`
	Reason   string    `json:"reason" doc:"As Pipedrive words it."`
}

// DuplicateDeal is a deal in Pipedrive beyond the one of its gist.
type DuplicateDeal struct {
	DealID    int64     `json:"deal_id"`
	GistID    string    `json:"gist_id,omitempty" doc:"Left out in the history of the gist."`
	Login     string    `json:"login,omitempty" doc:"Left out if the gist was never read."`
	NoticedAt time.Time `json:"noticed_at"`
}
