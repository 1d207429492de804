package gistdeal

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// DealState is the state of a gist's deal.
//
//	awaiting_approval ──approve──▶ queued ──claim──▶ sending ──2xx──▶ created
//	                                 ▲                │  │
//	                                 └────not sent────┘  └─refused──▶ failed
//
// A deal in doubt stays sending until lookups in Pipedrive decide. Retrying a failed,
// skipped or awaiting deal queues it. A queued, failed or awaiting deal can be skipped.
type DealState string

const (
	// DealAwaitingApproval waits for approval, because the first scan of its user found
	// more gists than the approval threshold, or waits for the end of that scan.
	DealAwaitingApproval DealState = "awaiting_approval"
	// DealQueued waits for its turn.
	DealQueued DealState = "queued"
	// DealSending has an attempt without a known outcome.
	DealSending DealState = "sending"
	// DealCreated exists in Pipedrive, or a person deleted or archived it there.
	DealCreated DealState = "created"
	// DealFailed was refused for a reason that does not pass by itself.
	DealFailed DealState = "failed"
	// DealSkipped is deliberately not created: because of the backfill policy, because an
	// operator skipped it, or because its user was removed.
	DealSkipped DealState = "skipped"
)

// DealStates lists all states in the order in which a deal may pass through them.
var DealStates = []DealState{DealAwaitingApproval, DealQueued, DealSending, DealCreated, DealFailed, DealSkipped}

// Deal is the one deal of a gist.
type Deal struct {
	GistID  string    `json:"gist_id"`
	State   DealState `json:"state" enum:"awaiting_approval,queued,sending,created,failed,skipped"`
	DealID  int64     `json:"deal_id" doc:"The id of the deal in Pipedrive; 0 until it is created."`
	Problem string    `json:"problem" doc:"Why the deal failed or waits; empty if there is no reason."`
	// Rule and RulesVersion are empty if there were no rules when the deal was decided.
	Rule         string `json:"rule,omitempty" doc:"The rule that decided about the deal; left out if there were no rules."`
	RulesVersion int64  `json:"rules_version,omitempty" doc:"The version of the rules then; left out if there were none."`
}

// Draft is the content of a deal to be created.
type Draft struct {
	GistID      string
	Login       string
	Description string
	Content     *Content // by the rules; nil for the content without rules
}

// Title returns the deal's title.
func (d Draft) Title() string {
	if d.Content != nil && d.Content.Title != "" {
		return d.Content.Title
	}
	return TitlePrefix + d.Login
}

// TitlePrefix begins the title of each deal of a gist. The login follows.
const TitlePrefix = "Gist from "

// Author returns the text of the field "Gist author".
func (d Draft) Author() string { return "https://gist.github.com/" + d.Login }

// Text returns the text of the field "Gist": the description, or a placeholder with
// the gist's id if the description is blank.
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
	Owner   string // the process with the claim
	// Since is the start, on Pipedrive's clock, of the earliest attempt that may have
	// created the deal: this attempt, or an earlier one with the outcome "not_found".
	Since   time.Time
	Resends int // number of earlier attempts with the outcome "not_found"
	// Published is when the gist was published at GitHub; zero if that was before its user
	// was tracked, or if its first scan found it.
	Published time.Time
}

// RemoteDeal is a deal as Pipedrive lists it.
type RemoteDeal struct {
	ID        int64
	GistID    string // from the field "Gist ID", else from "Gist Access URL"; "" if neither names a gist
	Title     string
	Exact     bool // GistID comes from the field "Gist ID"
	CreatorID int64
	AddedAt   time.Time // Pipedrive's clock
	Deleted   bool
	Archived  bool
	Hidden    bool // the key's user may not see it; nothing else is known
}

// Living returns the ids of the deals that are not deleted, sorted.
func Living(deals []RemoteDeal) (ids []int64) {
	for _, d := range deals {
		if !d.Deleted {
			ids = append(ids, d.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// DealList is a position in Pipedrive's lists of deals.
type DealList struct {
	Since         time.Time // only deals that changed since then, on Pipedrive's clock; zero means all
	ArchivedSince time.Time // the same for archived deals
	Archived      bool      // the position is in the second list, that of archived deals
	Cursor        string    // of the next page; "" is the first
}

// GistIDFromURL returns the id in the URL of a gist's page; "" for any other text, for
// example the URL of a user's page.
func GistIDFromURL(url string) string {
	_, path, _ := strings.Cut(url, "gist.github.com/")
	if end := strings.IndexAny(path, "?# "); end >= 0 {
		path = path[:end]
	}
	login, path, _ := strings.Cut(path, "/")
	id, _, _ := strings.Cut(path, "/")
	switch {
	case IsGistID(login) && (len(login) == 20 || len(login) == 32): // The short form has no login.
		return login
	case IsGistID(id):
		return id
	}
	return ""
}

// IsGistID reports whether s is a gist id in a form that GitHub uses: 20 or 32 hexadecimal
// digits, or a number. Other lengths count too, because the old forms are not documented.
func IsGistID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// PipedriveAccount is the company and the user that a Pipedrive key belongs to.
type PipedriveAccount struct {
	UserID      int64
	UserName    string
	CompanyID   int64
	CompanyName string
	DealURL     string // the URL of a deal's page without the deal id at its end
}

// Prepared describes an account that is prepared for new deals.
type Prepared struct {
	Codes    map[string]string // of the custom fields, by name
	Warnings []string          // limits on what gistdeal can do in this account, for operators
	Fields   []CatalogField    // all custom fields of deals
	Labels   []CatalogEntry    // all labels of deals
}

// DealURL returns the URL of a deal's page in Pipedrive. address is a
// PipedriveAccount.DealURL. DealURL returns "" if address is "" or dealID is 0.
func DealURL(address string, dealID int64) string {
	if address == "" || dealID == 0 {
		return ""
	}
	return address + strconv.FormatInt(dealID, 10)
}

// KeyDealURL is the name of the setting that stores PipedriveAccount.DealURL.
const KeyDealURL = "deal_url"
