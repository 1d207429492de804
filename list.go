package gistdeal

// UserFilter says which users are meant; the zero value means all that are tracked.
type UserFilter struct {
	States []UserState // none means all but removed
	Search string      // a part of the login, in any case
}

// UserOrder is an order of users; where it leaves two equal, their ids decide.
type UserOrder string

// The orders of users.
const (
	OrderByID       UserOrder = "id"
	OrderByLogin    UserOrder = "login"
	OrderByTracked  UserOrder = "tracked"   // when tracking began
	OrderByLastScan UserOrder = "last_scan" // when a scan last ended well
	OrderByNextScan UserOrder = "next_scan"
)

// UserPage says which part of an ordered list of users is meant.
type UserPage struct {
	Order      UserOrder // "" means OrderByID
	Descending bool
	After      *User // the last user of the part before; nil for the first part
	Limit      int
}

// DealFilter says which deals are meant: those to which all that is set
// applies. The zero value means all deals.
type DealFilter struct {
	States  []DealState
	UserID  int64 // of the gists' user
	GistIDs []string
	Problem string // the words of a deal's problem, as a whole
}

// DealSummary is a deal with facts about its gist and user.
type DealSummary struct {
	Deal
	UserID      int64  `json:"-"` // 0 if the gist was never read
	Login       string `json:"login" doc:"Empty if the gist was never read: only its deal is known."`
	Description string `json:"description"`
	Attempts    int    `json:"attempts"`
}

// Changed is the result of retrying or skipping deals.
type Changed struct {
	Deals int               // that changed
	Left  map[DealState]int // other deals that match apart from their state
}

// WhyNotRetried says in words why a deal of that state is not retried.
var WhyNotRetried = map[DealState]string{
	DealQueued:  "waits for its turn already",
	DealSending: "is being sent: its outcome decides",
	DealCreated: "has its deal in Pipedrive",
}

// WhyNotSkipped says in words why a deal of that state is not skipped.
var WhyNotSkipped = map[DealState]string{
	DealSending: "is being sent: its outcome decides; skip it if it is found or failed then",
	DealCreated: "has its deal in Pipedrive: delete it there",
	DealSkipped: "is skipped already",
}
