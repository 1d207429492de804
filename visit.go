package gistdeal

// Anonymous is the one visitor of all requests without a token.
const Anonymous = ""

// Visit records the newest gist of a user that a visitor has seen.
type Visit struct {
	Visitor string
	UserID  int64
	Seq     int64 // the highest Gist.Seq shown
}

// View has the data for showing a user's gists to a visitor, without the gists.
type View struct {
	UserID  int64
	Login   string
	Scanned bool   // the first scan succeeded, or will not come because the user is paused
	Linked  bool   // the raw URLs of all files are GitHub's own
	Version int64  // increases with each change of the user's login, gists or deals
	Seen    int64  // the highest Gist.Seq of the visitor's visits; 0 before the first visit
	DealURL string // PipedriveAccount.DealURL; "" if unknown
}
