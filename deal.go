package gistdeal

import (
	"strconv"
	"strings"
	"time"
)

// DealState is the state of a gist's deal.
//
//	awaiting_approval ──approve──▶ queued ──claim──▶ sending ──2xx──▶ created
//	                                 ▲                │  │
//	                                 └─surely not done┘  └─refused──▶ failed
//
// A deal with an unknown outcome stays sending until lookups in Pipedrive decide. An
// operator may retry a failed, skipped or awaiting deal (it is queued then), and skip
// a queued, failed or awaiting one.
type DealState string

const (
	// DealAwaitingApproval waits for approval because the first scan of its user found
	// more gists than the approval threshold, or for the end of that scan.
	DealAwaitingApproval DealState = "awaiting_approval"
	// DealQueued waits for its turn.
	DealQueued DealState = "queued"
	// DealSending has an attempt without a known outcome.
	DealSending DealState = "sending"
	// DealCreated exists in Pipedrive, or a person deleted or archived it there.
	DealCreated DealState = "created"
	// DealFailed was refused for a reason that does not pass by itself.
	DealFailed DealState = "failed"
	// DealSkipped is deliberately not created: by the backfill policy, by an operator, or
	// because its user was removed.
	DealSkipped DealState = "skipped"
)

// DealStates lists all states in the order in which a deal may pass them.
var DealStates = []DealState{DealAwaitingApproval, DealQueued, DealSending, DealCreated, DealFailed, DealSkipped}

// Deal is the one deal of a gist.
type Deal struct {
	GistID  string    `json:"gist_id"`
	State   DealState `json:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped"`
	DealID  int64     `json:"deal_id" doc:"Pipedrive's number of it; 0 until it is created."`
	Problem string    `json:"problem" doc:"Why it failed or waits."`
}

// Draft is the content of a deal to be created.
type Draft struct {
	GistID      string
	Login       string
	Description string
}

// Title returns the deal's title.
func (d Draft) Title() string { return "Gist from " + d.Login }

// Author returns the text of the field "Gist author".
func (d Draft) Author() string { return "https://gist.github.com/" + d.Login }

// Text returns the text of the field "Gist": the description, or words with
// the gist's id where there is none.
func (d Draft) Text() string {
	if strings.TrimSpace(d.Description) == "" {
		return "untitled - " + d.GistID
	}
	return d.Description
}

// AccessURL returns the text of the field "Gist Access URL".
func (d Draft) AccessURL() string { return GistURL(d.Login, d.GistID) }

// Claim is the right to make one attempt at a deal. Attempt is the fencing number: all
// later writes about the attempt carry it and Owner.
type Claim struct {
	Draft   Draft
	Attempt int
	Owner   string // the process that claimed
	// Since is when, on Pipedrive's clock, the earliest attempt began that may
	// have made the deal: this one, or one that was taken for absent.
	Since   time.Time
	Resends int // attempts before this one that were taken for absent
}

// RemoteDeal is a deal as Pipedrive lists it.
type RemoteDeal struct {
	ID        int64
	GistID    string // from the field "Gist ID", else from "Gist Access URL"
	Exact     bool   // GistID comes from the field "Gist ID"
	CreatorID int64
	AddedAt   time.Time // Pipedrive's clock
	Deleted   bool
	Archived  bool
}

// GistIDFromURL returns the last path part of a gist's address, or "" if there is none.
func GistIDFromURL(url string) string {
	url, _, _ = strings.Cut(strings.TrimSpace(url), "?")
	url, _, _ = strings.Cut(url, "#")
	url = strings.TrimRight(url, "/")
	if !strings.Contains(url, "gist.github.com/") {
		return ""
	}
	return url[strings.LastIndexByte(url, '/')+1:]
}

// PipedriveAccount is the company and person that a Pipedrive key belongs to.
type PipedriveAccount struct {
	UserID      int64
	UserName    string
	CompanyID   int64
	CompanyName string
	DealURL     string // the address of a deal's page, before its id
}

// DealURL returns the URL of the page of a deal in Pipedrive, "" if there is no
// deal or the address of deals is not known.
func DealURL(address string, dealID int64) string {
	if address == "" || dealID == 0 {
		return ""
	}
	return address + strconv.FormatInt(dealID, 10)
}

// KeyDealURL is the name of the setting that keeps PipedriveAccount.DealURL.
const KeyDealURL = "deal_url"
