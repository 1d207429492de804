package gistdeal

import "time"

// Happened is the end of one attempt at a deal.
type Happened struct {
	At      time.Time
	GistID  string
	N       int    // of the gist's attempts, from 1
	Login   string // "" if the gist was never read
	Outcome string // as Attempt's
	DealID  int64  // Pipedrive's, 0 if there is none
	Reason  string // in Pipedrive's words
}

// Day is what happened on one day in UTC.
type Day struct {
	Begin time.Time
	Found int // gists that were noticed
	Made  int // deals that were made, or found to be made
}

// Failure is a cause of failed deals.
type Failure struct {
	Problem string
	Deals   int
	Example string // the gist id of one of them
}
