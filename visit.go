package gistdeal

// Anonymous is the visitor of requests without a token: all of them together.
const Anonymous = ""

// Visit records the gists of a user that a visitor has seen.
type Visit struct {
	Visitor string
	UserID  int64
	Seq     int64 // the highest Gist.Seq shown
}

// View has the data for showing a user's gists to a visitor, without the gists.
type View struct {
	UserID  int64
	Login   string
	Scanned bool   // the first scan has ended well, or is not to come because the user is paused
	Version int64  // raised by each change of the user's login, gists or deals
	Seen    int64  // the highest Gist.Seq that the visitor was shown, 0 before the first visit
	DealURL string // the address of a deal's page, before its id; "" while it is not known
}
