package gistdeal

// UserFilter says which users are meant; the zero value means all that are tracked.
type UserFilter struct {
	States []UserState // none means all but removed
	Search string      // a part of the login, in any case
}

// DealFilter says which deals are meant: those to which all that is set
// applies. The zero value means all deals.
type DealFilter struct {
	States  []DealState
	UserID  int64 // of the gists' user
	GistIDs []string
}

// ListedDeal is a deal with what tells a person whose it is.
type ListedDeal struct {
	Deal
	UserID      int64 // 0 if the gist was never read, and then there is no Login either
	Login       string
	Description string
	Attempts    int
}

// Changed is what became of the deals that a person wanted retried or skipped.
type Changed struct {
	Deals int               // that changed
	Left  map[DealState]int // that a filter means, whatever their state, and that did not
}

// WhyNotRetried says in words why a deal of that state is not retried.
var WhyNotRetried = map[DealState]string{
	DealFound:   "waits for its turn already",
	DealSending: "is being sent: its outcome decides",
	DealMade:    "has its deal in Pipedrive",
}

// WhyNotSkipped says in words why a deal of that state is not skipped.
var WhyNotSkipped = map[DealState]string{
	DealSending: "is being sent: its outcome decides; skip it if it is found or failed then",
	DealMade:    "has its deal in Pipedrive: delete it there",
	DealSkipped: "is skipped already",
}
