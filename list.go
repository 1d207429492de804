package gistdeal

import (
	"strings"
	"time"
)

// UserFilter selects users. The zero value selects all except removed ones.
type UserFilter struct {
	States []UserState // empty means all except UserRemoved
	Search string      // a substring of the login, ignoring case; "" matches all
}

// UserOrder is a sort order of users. Equal users are sorted by id.
type UserOrder string

// The orders of users.
const (
	OrderByID       UserOrder = "id"
	OrderByLogin    UserOrder = "login"
	OrderByTracked  UserOrder = "tracked"   // when tracking began
	OrderByLastScan UserOrder = "last_scan" // when a scan last succeeded
	OrderByNextScan UserOrder = "next_scan"
)

// UserPage selects one page of a sorted list of users.
type UserPage struct {
	Order      UserOrder // "" means OrderByID
	Descending bool
	After      *User // the last user of the previous page; nil for the first page
	Limit      int
}

// DealFilter selects the deals that match all of its fields. A zero field matches all
// deals.
type DealFilter struct {
	States  []DealState
	UserID  int64 // of the gist's user
	GistIDs []string
	Problem string // the complete text of Deal.Problem
	// Search is a part of the gist's description or of the user's login, the gist's id or the
	// deal's number; "" means all.
	Search       string
	Rule         string    // the rule that decided about the deal
	UpdatedSince time.Time // only deals that changed at this time or later; zero means all
}

// DealOrder is an order of deals.
type DealOrder string

// The orders of deals; deals of the same time are ordered by gist id. A leading - reverses
// an order.
const (
	DealsByGist    DealOrder = "gist"
	DealsByCreated DealOrder = "created"
	DealsByUpdated DealOrder = "updated"
)

// DealOrders lists all orders, reversed ones too.
var DealOrders = []DealOrder{DealsByGist, "-" + DealsByGist, DealsByCreated, "-" + DealsByCreated, DealsByUpdated, "-" + DealsByUpdated}

// DealPlace is the place of a deal in an order; zero is the begin.
type DealPlace struct {
	At     time.Time // by which it is ordered; zero in the order by gist
	GistID string
}

// Place returns the place of a deal in the order.
func (o DealOrder) Place(d DealSummary) DealPlace {
	switch strings.TrimPrefix(string(o), "-") {
	case string(DealsByCreated):
		return DealPlace{d.CreatedAt, d.GistID}
	case string(DealsByUpdated):
		return DealPlace{d.UpdatedAt, d.GistID}
	}
	return DealPlace{GistID: d.GistID}
}

// DealSummary is a listed deal with facts about its gist and user.
type DealSummary struct {
	Deal
	UserID      int64  `json:"-"` // 0 if the gist was never read
	Login       string `json:"login" doc:"The login of the gist's user; empty if the gist was never read."`
	Description string `json:"description"`
	Attempts    int    `json:"attempts"`

	CreatedAt time.Time `json:"created_at,omitzero" doc:"When gistdeal first knew the deal, not when it was created in Pipedrive."`
	UpdatedAt time.Time `json:"updated_at,omitzero" doc:"When its state, its number, its problem or its attempts last changed."`
}

// Changed is the result of retrying or skipping deals.
type Changed struct {
	Deals int               // number of changed deals
	Left  map[DealState]int // number of unchanged deals that match apart from their state, by state
}

// WhyNotRetried explains why a deal of a state cannot be retried. The subject of each
// text is the gist.
var WhyNotRetried = map[DealState]string{
	DealQueued:  "is already queued",
	DealSending: "is being sent: wait for its outcome",
	DealCreated: "has its deal in Pipedrive",
}

// WhyNotSkipped explains why a deal of a state cannot be skipped, like WhyNotRetried.
var WhyNotSkipped = map[DealState]string{
	DealSending: "is being sent: wait for its outcome, and skip it if it is queued or failed then",
	DealCreated: "has its deal in Pipedrive: delete it there",
	DealSkipped: "is already skipped",
}
