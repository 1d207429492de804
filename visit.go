package gistdeal

// Everybody is the visitor of requests without a token: all of them together.
const Everybody = ""

// Visit is what a visitor was shown of a user's gists.
type Visit struct {
	Visitor string
	UserID  int64
	Seq     int64 // the highest Gist.Seq shown
}
