package gistdeal

import "time"

// Event is an event: the end of one attempt at a deal.
type Event struct {
	At      time.Time `json:"at"`
	GistID  string    `json:"gist_id"`
	N       int       `json:"n" doc:"The number of the attempt among those of the gist, from 1."`
	Login   string    `json:"login" doc:"Empty if the gist was never read."`
	Outcome string    `json:"outcome" doc:"As the outcome of an attempt."`
	DealID  int64     `json:"deal_id,omitempty"`
	Reason  string    `json:"reason,omitempty" doc:"As Pipedrive words it."`
}

// Day counts the work of one day in UTC.
type Day struct {
	Date  string `json:"date" format:"date"`
	Gists int    `json:"gists" doc:"Gists that were noticed."`
	Deals int    `json:"deals" doc:"Deals that were created or adopted."`
}

// Failure is a cause of failed deals.
type Failure struct {
	Problem string `json:"problem"`
	Deals   int    `json:"deals"`
	Example string `json:"example" doc:"The gist id of one of them."`
}
