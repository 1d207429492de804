package gistdeal

import "time"

// Event is the end of one attempt at a deal, as published to clients.
type Event struct {
	At      time.Time `json:"at"`
	GistID  string    `json:"gist_id"`
	N       int       `json:"n" doc:"The number of the attempt at the gist's deal, from 1."`
	Login   string    `json:"login" doc:"The login of the gist's user; empty if the gist was never read."`
	Outcome string    `json:"outcome" enum:"created,refused,not_sent,adopted,not_found" doc:"The outcome of the attempt."`
	DealID  int64     `json:"deal_id,omitempty"`
	Reason  string    `json:"reason,omitempty" doc:"The reason for the outcome, usually Pipedrive's message."`
}

// Day counts the new gists and deals of one day in UTC.
type Day struct {
	Date  string `json:"date" format:"date"`
	Gists int    `json:"gists" doc:"The number of gists that were first read on that day."`
	Deals int    `json:"deals" doc:"The number of deals that were created or adopted on that day."`
}

// Failure is a problem with the number of deals that failed because of it.
type Failure struct {
	Problem string `json:"problem"`
	Deals   int    `json:"deals"`
	Example string `json:"example" doc:"The gist id of one of these deals."`
}
