package gistdeal

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
}

// DealSummary is a listed deal with facts about its gist and user.
type DealSummary struct {
	Deal
	UserID      int64  `json:"-"` // 0 if the gist was never read
	Login       string `json:"login" doc:"The login of the gist's user; empty if the gist was never read."`
	Description string `json:"description"`
	Attempts    int    `json:"attempts"`
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
