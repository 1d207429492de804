package gistdeal

import "time"

// History is everything known about one gist and its deal.
type History struct {
	Deal
	Content    *Content        `json:"content,omitempty" doc:"What the rules decided about the content of the deal, as each attempt sends it; left out for the usual content."`
	Gist       Gist            `json:"gist,omitzero" doc:"Left out if the gist was never read and only its deal in Pipedrive is known."`
	User       User            `json:"user,omitzero" doc:"The user of the gist; left out if the gist was never read."`
	NoticedAt  time.Time       `json:"noticed_at,omitzero" doc:"When the gist was first read."`
	NoticedBy  string          `json:"noticed_by"` // one of the values below; "" if unknown
	QueuedAt   time.Time       `json:"queued_at,omitzero" doc:"When the deal was queued; left out in other states."`
	Priority   Priority        `json:"priority,omitempty" enum:"high,low" doc:"The priority of a queued deal, high or low; left out for the normal one."`
	Attempts   []Attempt       `json:"attempts" doc:"All attempts at the deal, the first one first."`
	Duplicates []DuplicateDeal `json:"duplicates" doc:"Duplicate deals of the gist in Pipedrive, ordered by id."`
}

// Values of History.NoticedBy: where the gist was first read.
const (
	NoticedByFirstScan = "first scan"
	NoticedByScan      = "scan"
	NoticedByFeed      = "feed"
)

// Attempt is one attempt at a deal.
type Attempt struct {
	N        int       `json:"n"`
	Owner    string    `json:"-"` // the process that made the attempt
	SentAt   time.Time `json:"sent_at,omitzero"`
	RemoteAt time.Time `json:"-"` // SentAt on Pipedrive's clock
	EndedAt  time.Time `json:"ended_at,omitzero" doc:"When the outcome was recorded; left out until then."`
	Outcome  string    `json:"outcome,omitempty" enum:"created,refused,not_sent,adopted,not_found" doc:"adopted: a lookup found the deal; not_found: lookups did not find it. Left out while the outcome is unknown."`
	DealID   int64     `json:"deal_id" doc:"The id of the deal in Pipedrive; 0 if there is none."`
	Lookups  int       `json:"lookups" doc:"The number of complete lookups before the outcome was recorded."`
	Reason   string    `json:"reason" doc:"The reason for the outcome, usually Pipedrive's message."`
}

// DuplicateDeal is a deal in Pipedrive of a gist that already has its deal.
type DuplicateDeal struct {
	DealID    int64     `json:"deal_id"`
	GistID    string    `json:"gist_id,omitempty" doc:"The id of the gist; left out in the history of the gist."`
	Login     string    `json:"login,omitempty" doc:"The login of the gist's user; left out if the gist was never read."`
	NoticedAt time.Time `json:"noticed_at"`
}
